/** Questions to checkpoints by the process that answers them: streamed, cancelled, refused where the memory is short. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PlayProcess } from '../../main/jobs/playProcess.ts';
import { qwen7b, writeSyntheticCheckpoint } from '../bench/syntheticCheckpoint.ts';

const play = new PlayProcess();
const folder = mkdtempSync(join(tmpdir(), 'rotascope-play-'));
const huge = join(folder, 'huge');
const tiny = join('tests', 'fixtures', 'tiny-qwen2');
beforeAll(async () => {
  // Ten times the layers of a 7B model, all of them holes: a file that takes no disk and more memory than there is.
  await writeSyntheticCheckpoint(huge, { ...qwen7b, layers: 280 }, { seed: 1, realLayers: 0 });
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
    copyFileSync(join(tiny, name), join(huge, name));
});
afterAll(() => {
  play.stop();
  rmSync(folder, { recursive: true, force: true });
});

const question = {
  ...{ folder: tiny, task: 'freeText', split: 'inDist' as const },
  ...{ inputs: { prompt: 'Hello' }, temperature: 2, seed: 1, mostTokens: 24 },
};
const none = (): void => undefined;

test('tokens are told one after the other, before the answer that has them all', async () => {
  const told: string[] = [];
  const answer = await play.ask('a', question, (at, tokens) => {
    expect(at).toBe(told.length);
    told.push(...tokens.map(({ text }) => text));
  });
  expect(told).toEqual(answer.tokens.map(({ text }) => text));
  expect(answer.prompt).toContain('<|im_start|>user\nHello<|im_end|>');
  expect(answer.verdict).toBe(null);
  expect((await play.ask('b', question, none)).tokens).toEqual(answer.tokens);
  const raw = await play.ask(
    'c',
    { ...question, inputs: { prompt: 'Hello', template: 'leave the text as it is' } },
    none,
  );
  expect(raw.prompt).toBe('Hello');
});

test('a cancelled one fails at once, and the model stays for the next', async () => {
  const long = { ...question, mostTokens: 2000, temperature: 5 };
  let told = 0;
  let cancelledMs = 0;
  const running = play.ask('long', long, () => {
    told += 1;
    if (told !== 5) return;
    cancelledMs = performance.now();
    play.cancel('long');
  });
  const waiting = play.ask('long', question, none);
  await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(performance.now() - cancelledMs).toBeLessThan(100);
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  const startMs = performance.now();
  expect((await play.ask('d', question, none)).tokens.length).toBeGreaterThan(0);
  // The process was not started anew: that alone takes longer.
  expect(performance.now() - startMs).toBeLessThan(1000);
  expect(told).toBeLessThan(20);
});

test('a model that does not fit is refused with the numbers, before a weight is read', async () => {
  const asked = play.ask('huge', { ...question, folder: huge }, none);
  await expect(asked).rejects.toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringMatching(
      /^Generation with 1 row at once needs about \d+\.\d GB of memory; [\d.]+ GB are free/,
    ) as string,
  });
});
