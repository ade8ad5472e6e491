import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readNewEvents } from '../../../main/jobs/eventReader.ts';

const line = (seq: number, text = 'x'): string =>
  `${JSON.stringify({ seq, timeMs: 1, type: 'log', level: 'info', text })}\n`;
const seqs = (read: ReturnType<typeof readNewEvents>): number[] => read.events.map(({ seq }) => seq);

function newFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'rotascope-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'events.jsonl');
  writeFileSync(file, content);
  return file;
}

/** Everything from the start, piece by piece as the engine does it. */
function readAll(file: string): number[] {
  const all: number[] = [];
  for (let from = 0, more = true; more;) {
    const read = readNewEvents(file, from);
    all.push(...seqs(read));
    ({ more, nextByte: from } = read);
  }
  return all;
}

test('whole lines only; the torn one is read when it is whole', () => {
  const file = newFile(line(1) + line(2) + line(3).slice(0, 20));
  const first = readNewEvents(file, 0);
  expect(seqs(first)).toEqual([1, 2]);
  expect(readNewEvents(file, first.nextByte)).toMatchObject({ events: [], nextByte: first.nextByte, more: false });
  appendFileSync(file, line(3).slice(20));
  expect(seqs(readNewEvents(file, first.nextByte))).toEqual([3]);
});

test('characters of several bytes do not shift the position', () => {
  const file = newFile(line(1, 'Größe ∥ΔW∥ 😀') + line(2));
  const first = readNewEvents(file, 0);
  expect(first.nextByte).toBe(Buffer.byteLength(line(1, 'Größe ∥ΔW∥ 😀') + line(2)));
  appendFileSync(file, line(3));
  expect(seqs(readNewEvents(file, first.nextByte))).toEqual([3]);
});

test('lines longer than a piece, and many pieces', () => {
  const long = 'y'.repeat(3_000_000);
  const file = newFile(line(1) + line(2, long) + line(3) + line(4, long) + line(5));
  expect(readAll(file)).toEqual([1, 2, 3, 4, 5]);
  const many = newFile(Array.from({ length: 30_000 }, (_, index) => line(index + 1, 'z'.repeat(60))).join(''));
  expect(readAll(many)).toEqual(Array.from({ length: 30_000 }, (_, index) => index + 1));
});

test('a line that is whole but not an event is counted, and the others are read', () => {
  const file = newFile(`${line(1)}garbage\n${JSON.stringify({ seq: 2, timeMs: 1, type: 'unknown' })}\n\n${line(3)}`);
  expect(readNewEvents(file, 0)).toMatchObject({ unreadable: 2 });
  expect(readAll(file)).toEqual([1, 3]);
});

test('a file that became shorter is read again; one that is not there has nothing', () => {
  const file = newFile(line(1) + line(2) + line(3));
  const { nextByte } = readNewEvents(file, 0);
  truncateSync(file, line(1).length);
  expect(seqs(readNewEvents(file, nextByte))).toEqual([1]);
  expect(readNewEvents(join(file, 'none'), 7)).toMatchObject({ events: [], nextByte: 7 });
});
