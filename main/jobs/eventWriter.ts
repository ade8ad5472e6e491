/** The worker's side of `events.jsonl`: one JSON line an event, numbered without gaps, never rewritten. */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { workerEventBodySchema, workerEventSchema } from '../contract/events.ts';
import type { WorkerEvent, WorkerEventBody } from '../contract/events.ts';

export const eventsFileName = 'events.jsonl';

/** Progress is shown, not analysed: more often than this it only fills the disk, ms. */
const progressIntervalMs = 250;

export interface EventHistory {
  /** What earlier attempts wrote, oldest first, as far as it can be read. */
  events: WorkerEvent[];
  /** Length of the file without a last line that a crash has torn, bytes. */
  wholeBytes: number;
}

export function readHistory(file: string): EventHistory {
  if (!existsSync(file)) return { events: [], wholeBytes: 0 };
  const content = readFileSync(file);
  const wholeBytes = content.lastIndexOf(0x0a) + 1;
  const lines = content.subarray(0, wholeBytes).toString('utf8').split('\n');
  const events = lines.flatMap((line) => {
    try {
      const event = workerEventSchema.safeParse(JSON.parse(line));
      return event.success ? [event.data] : [];
    } catch {
      return [];
    }
  });
  return { events, wholeBytes };
}

/** JSON knows no NaN: one scalar that is not finite must not take the others of its step along. */
function withoutNonFinite(body: WorkerEventBody): WorkerEventBody {
  if (body.type !== 'metrics') return body;
  const values = Object.fromEntries(Object.entries(body.values).filter(([, value]) => Number.isFinite(value)));
  return { ...body, values };
}

export class EventWriter {
  readonly #file: number;
  readonly #onWritten: () => void;
  #seq: number;
  #lastProgressMs = 0;

  /** Continues the numbers of `history` and cuts off its torn last line. */
  constructor(folder: string, history: EventHistory, lastSeqOfEngine: number, onWritten: () => void) {
    this.#file = openSync(join(folder, eventsFileName), 'a');
    ftruncateSync(this.#file, history.wholeBytes);
    this.#seq = Math.max(lastSeqOfEngine, ...history.events.map(({ seq }) => seq), 0);
    this.#onWritten = onWritten;
  }

  /** @throws ZodError when the event is not one of the contract: the job must not go on with numbers that are lost */
  append(body: WorkerEventBody): void {
    const timeMs = Date.now();
    if (body.type === 'progress') {
      if (timeMs - this.#lastProgressMs < progressIntervalMs && body.done < body.total) return;
      this.#lastProgressMs = timeMs;
    }
    const checked = workerEventBodySchema.parse(withoutNonFinite(body));
    this.#seq += 1;
    this.#write(`${JSON.stringify({ seq: this.#seq, timeMs, ...checked })}\n`);
    if (body.type === 'resumePoint' || body.type === 'succeeded' || body.type === 'failed') fsyncSync(this.#file);
    this.#onWritten();
  }

  #write(line: string): void {
    const bytes = Buffer.from(line, 'utf8');
    for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
  }

  close(): void {
    fsyncSync(this.#file);
    closeSync(this.#file);
  }
}
