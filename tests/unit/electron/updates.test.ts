import { expect, test } from 'vitest';
import { checkForUpdates, compareVersions } from '../../../electron/updates.ts';

const address = 'https://updates.invalid/rotascope.json';
const answering = (answer: unknown) => async (): Promise<string> => JSON.stringify(answer);

test('without an address it asks nobody and says what can be done', async () => {
  const asked = async (): Promise<string> => Promise.reject(new Error('asked'));
  for (const none of [undefined, '']) {
    const answer = await checkForUpdates('0.1.0', none, asked);
    expect(answer).toMatchObject({ message: 'No address to ask for updates is set.', page: null });
    expect(answer.detail).toContain('ROTASCOPE_UPDATE_URL');
  }
});

test('a newer version is named with its page; running jobs go on', async () => {
  const page = 'https://updates.invalid/0.10.0';
  const answer = await checkForUpdates('0.9.1', address, answering({ version: '0.10.0', page }));
  expect(answer).toMatchObject({ message: 'Version 0.10.0 is there.', page });
  expect(answer.detail).toContain('Running jobs go on');
});

test('the same version, or an older one, is no update', async () => {
  for (const version of ['0.9.1', '0.9.0']) {
    const answer = await checkForUpdates('0.9.1', address, answering({ version, page: 'https://updates.invalid/' }));
    expect(answer).toMatchObject({ message: 'This is the newest version.', page: null });
  }
});

test.each([
  ['no JSON', async () => '<html>'],
  ['null', answering(null)],
  ['no version', answering({ version: 'newest' })],
  ['a failure', async () => Promise.reject(new Error('The server answered 404.'))],
])('%s is an answer with a next step', async (_name, ask) => {
  const answer = await checkForUpdates('0.9.1', address, ask);
  expect(answer).toMatchObject({ message: 'The check for updates got no answer.', page: null });
  expect(answer.detail).toContain('try again');
});

test('a page that is not https is not opened', async () => {
  const answer = await checkForUpdates('0.9.1', address, answering({ version: '1.0.0', page: 'file:///etc/passwd' }));
  expect(answer.page).toBeNull();
});

test('an address that is not https is refused without a request', async () => {
  const answer = await checkForUpdates('0.9.1', 'http://updates.invalid/');
  expect(answer.detail).toContain('https:');
});

test('versions are compared by number', () => {
  expect(compareVersions('1.10.0', '1.9.9')).toBeGreaterThan(0);
  expect(compareVersions('1.0.0', '1.0.0-beta')).toBe(0);
  expect(compareVersions('0.9.9', '1.0.0')).toBeLessThan(0);
  expect(compareVersions('1.0.1', '1.0.0')).toBeGreaterThan(0);
});
