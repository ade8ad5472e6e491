import { expect, test } from 'vitest';
import type { AppError } from '../../../main/contract/errors.ts';
import { addressWithToken, parseEngineAddress, withoutToken } from '../../../main/contract/wire.ts';

const token = 'c_DpvqD-4jUHpUWlVc1xXqo7m1rOqkJ7Cc0mVxZ0cZ8';

test('an address is taken apart as it was printed, with blanks around it', () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const origin = `http://${host}:40123`;
    expect(parseEngineAddress(` ${addressWithToken(origin, token)}\n`)).toEqual({ origin, port: 40123, token });
  }
});

test.each([
  ['', 'not the address'],
  ['http://127.0.0.1:40123/', 'not the address'],
  [`https://127.0.0.1:40123/#token=${token}`, 'not the address'],
  [`http://127.0.0.1:70000/#token=${token}`, 'not the address'],
  [`http://127.0.0.1/#token=${token}`, 'not the address'],
  [`http://user:word@127.0.0.1:40123/#token=${token}`, 'own machine only'],
  [`http://127.0.0.1.evil.example:40123/#token=${token}`, 'own machine only'],
  [`http://127.0.0.1:40123/?next=x#token=${token}`, 'not the address'],
  [`http://127.0.0.1:40123/#token=${token}&more`, 'not the address'],
])('%s is refused', (text, said) => {
  let error: AppError | null = null;
  try {
    parseEngineAddress(text);
  } catch (thrown) {
    error = thrown as AppError;
  }
  expect(error).toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining(said) as string });
  expect(error!.hint).not.toBe('');
});

test('a token leaves no trace in a log', () => {
  const address = addressWithToken('http://127.0.0.1:40123', token);
  for (const text of [`loading '${address}' failed`, `{"type":"listening","token":"${token}"}`, `token: ${token}`])
    expect(withoutToken(text)).not.toContain(token.slice(4));
  expect(withoutToken('512 tokens, the token accuracy is high')).toBe('512 tokens, the token accuracy is high');
});
