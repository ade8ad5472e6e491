import { expect, test } from 'vitest';
import { amount, megabytes, stepReporter } from '../../../main/bootstrap/progress.mjs';

test('bytes, and the time left once there is a rate', () => {
  expect(amount(undefined, undefined, 5000)).toBe(' ...');
  expect(amount(20e6, 100e6, 500)).toBe(' 20 MB of 100 MB');
  expect(amount(20e6, 100e6, 5000)).toBe(' 20 MB of 100 MB, 20 s left');
  expect(amount(1e6, 100e6, 10_000)).toBe(' 1.0 MB of 100 MB, 17 min left');
  expect(amount(100e6, 100e6, 5000)).toBe(' 100 MB of 100 MB');
  expect([megabytes(8_872_077), megabytes(9_960_000)]).toEqual(['8.9 MB', '10 MB']);
});

function reported(isTTY: boolean): string {
  let text = '';
  const stream = { isTTY, write: (chunk: string) => (text += chunk) } as unknown as NodeJS.WriteStream;
  const reporter = stepReporter(stream);
  for (const doneBytes of [0, 50e6, 100e6]) reporter.report({ step: 'Downloading it', doneBytes, totalBytes: 100e6 });
  reporter.say('A line.');
  reporter.report({ step: 'Compiling it' });
  reporter.end();
  return text;
}

test('one clean line a step where the output is not a terminal', () => {
  expect(reported(false)).toBe('Downloading it (100 MB)\nA line.\nCompiling it\n');
});

test('an updating line on a terminal, which ends as the step alone', () => {
  const lines = reported(true)
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\x1b[2K') + 4));
  expect(lines[0]).toBe('Downloading it');
  expect(reported(true)).toContain('\r\x1b[2KDownloading it 100 MB of 100 MB');
  expect(lines[2]).toBe('Compiling it');
});
