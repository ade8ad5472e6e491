/** What a job kind gets, and what a kind is. A kind lives in `kinds/<kind>.ts` and is named in `kinds.ts`. */
import type { Compute } from '../compute/compute.ts';
import type { JobKind } from '../contract/api.ts';
import type { WorkerEventBody } from '../contract/events.ts';

export interface JobContext {
  /** As the plan made it; the kind parses it with its own schema. */
  request: unknown;
  /** The job's own folder: resume state and scratch files. The same one for every attempt. */
  folder: string;
  /** From 1. */
  attempt: number;
  /**
   * `step` of the last resume point that an earlier attempt has said, or null. A crash between writing the resume
   * state and saying so leaves a state that is newer than this number: trust the file.
   */
  resumeStep: number | null;
  /** Aborted on cancel, on shutdown and when the engine is gone: stop at the next step by throwing its reason. */
  signal: AbortSignal;
  /** Appends an event. A `resumePoint` is on disk when this returns: write the resume state before. */
  emit(body: WorkerEventBody): void;
  /** The backend of this process, opened at the first call. */
  compute(): Promise<Compute>;
}

/** @returns `data` of the `succeeded` event: what the stages after this one need */
export type JobKindFunction = (context: JobContext) => Promise<unknown>;

export interface KindEntry {
  /** Loaded in the worker only when such a job runs. */
  load(): Promise<{ kind: JobKindFunction }>;
  /** Opens the backend before it starts, so that `started` names what computes. */
  computes: boolean;
}
export type KindTable = Record<JobKind, KindEntry>;

/** `request.json` in the job's folder: the full request, for the worker and for whoever reads the folder later. */
export interface JobRequestFile {
  jobId: string;
  kind: JobKind;
  title: string;
  attempt: number;
  seed: number | null;
  request: unknown;
  /** Of TensorFlow. */
  threads: number;
  /** The engine has taken in events up to here; later ones get higher numbers, even if the file was lost. */
  lastSeq: number;
  versions: Record<string, string>;
}
