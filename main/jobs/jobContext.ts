/** What a job kind is given. Everything it says goes through `emit`; nothing else leaves the worker but files. */
import type { Compute } from '../compute/compute.ts';
import type { WorkerEventBody } from '../contract/events.ts';

export interface JobContext {
  /** As stored with the job; a kind parses it with its own schema. */
  request: unknown;
  /** The job's folder: resume state goes here. */
  folder: string;
  /** Aborts on cancel: a kind stops at the next step with `signal.throwIfAborted()`. */
  signal: AbortSignal;
  /** `step` of the last resume point of an earlier attempt, or null at the first one. */
  resumeStep: number | null;
  emit(body: WorkerEventBody): void;
  /** Opened at the first call, one TensorFlow thread. */
  compute(): Promise<Compute>;
}

/** @returns the `data` of the job's `succeeded` event */
export type JobKindFunction = (context: JobContext) => Promise<unknown>;
