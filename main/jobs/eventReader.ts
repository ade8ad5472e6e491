/** The engine's side of `events.jsonl`: what was appended since last time, whole lines only. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { workerEventSchema } from '../contract/events.ts';
import type { WorkerEvent } from '../contract/events.ts';

/** Read at once; a longer line (a comparison of a large model) makes the piece grow until it fits, bytes. */
const pieceBytes = 1024 * 1024;
/** A line longer than this is not one of ours, bytes. */
const maxLineBytes = 256 * 1024 * 1024;

export interface NewEvents {
  events: WorkerEvent[];
  /** Where the next line begins. */
  nextByte: number;
  /** Lines that are whole but cannot be understood. */
  unreadable: number;
  /** More is there to read at once. */
  more: boolean;
}

function parseLines(text: string): Pick<NewEvents, 'events' | 'unreadable'> {
  const events: WorkerEvent[] = [];
  let unreadable = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      events.push(workerEventSchema.parse(JSON.parse(line)));
    } catch {
      unreadable += 1;
    }
  }
  return { events, unreadable };
}

/** Reads whole lines from `fromByte`; a last line without its end stays for the next time. */
export function readNewEvents(file: string, fromByte: number): NewEvents {
  const nothing = { events: [], nextByte: fromByte, unreadable: 0, more: false };
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return nothing;
  }
  try {
    const { size } = fstatSync(handle);
    // Shorter than what was read: the disk lost its tail in a crash. Read all again; known numbers are skipped.
    const start = fromByte > size ? 0 : fromByte;
    for (let length = pieceBytes; length <= maxLineBytes; length *= 4) {
      const piece = Buffer.alloc(Math.min(length, size - start));
      const read = readSync(handle, piece, 0, piece.length, start);
      const whole = piece.subarray(0, read).lastIndexOf(0x0a) + 1;
      if (whole > 0) {
        const parsed = parseLines(piece.subarray(0, whole).toString('utf8'));
        return { ...parsed, nextByte: start + whole, more: start + whole < size && start + read < size };
      }
      if (start + read >= size) return { ...nothing, nextByte: start };
    }
    return nothing;
  } finally {
    closeSync(handle);
  }
}
