/** Who says that the connection is lost: the banner, and a toast only for what the user asked for. */
import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../../main/contract/errors.ts';
import { ConnectionLostError } from '../../../../renderer/engine/EngineClient.ts';
import { useToasts } from '../../../../renderer/stores/toasts.ts';

beforeEach(() => setActivePinia(createPinia()));

const fails = (error: Error) => (): Promise<never> => Promise.reject(error);

describe('a lost connection', () => {
  it('is silent for what the page loads by itself', async () => {
    const toasts = useToasts();
    await toasts.load(fails(new ConnectionLostError()));
    toasts.reportOfPage(new ConnectionLostError());
    expect(toasts.toasts).toEqual([]);
  });
  it('is told for what the user did', async () => {
    const toasts = useToasts();
    expect(await toasts.attempt(fails(new ConnectionLostError()))).toBe(false);
    expect(toasts.toasts.map(({ tone, nextStep }) => [tone, nextStep !== ''])).toEqual([['error', true]]);
  });
});

it('any other error of what the page loads is told', async () => {
  const toasts = useToasts();
  await toasts.load(fails(new AppError('NOT_FOUND', 'There is no such study.')));
  expect(toasts.toasts.map(({ text }) => text)).toEqual(['There is no such study.']);
});
