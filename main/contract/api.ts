/**
 * The whole contract between the engine and every shell, on one screen: calls (request -> answer) and the events
 * that the engine pushes. Calls are short; anything over a second is a job. An event never carries the only copy
 * of anything: after a reload the view asks for what it missed by sequence number.
 */
import { z } from 'zod';
import { checkpointDiffSchema, sharingSchema, verificationSchema } from './catalogue.ts';
import { dataFolderCalls } from './dataFolder.ts';
import { errorShapeSchema, workerEventSchema } from './events.ts';
import { sampleCalls } from './samples.ts';
import { hiddenStatesCalls } from './hiddenStates.ts';
import { answerEventSchema, playCalls } from './play.ts';
import { queueCalls, queueSchema } from './queue.ts';
import { runsCalls } from './runs.ts';
import { studySettingsSchema } from './settings.ts';
import { spectraCalls } from './spectral.ts';
import { comparisonSchema, studyResultSchema } from './studyResult.ts';
import { storageCalls } from './storage.ts';
import { sweepCalls } from './sweeps.ts';

export const jobStates = ['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled', 'interrupted'] as const;
export const jobKinds = [
  'pretrain',
  'sft',
  'rl',
  'decompose',
  'ablate',
  'analyse',
  'hashCheckpoints',
  'copyCheckpoint',
  'diffCheckpoints',
  'compare',
  'sweep',
  'exportPoint',
  'hiddenStates',
  'selfTest',
  'backup',
  'restore',
  'moveData',
] as const;
export type JobKind = (typeof jobKinds)[number];
export type JobState = (typeof jobStates)[number];

export const jobSchema = z.object({
  id: z.string(),
  kind: z.enum(jobKinds),
  /** "RL with anchor from step 200 · seed 0". */
  title: z.string(),
  state: z.enum(jobStates),
  studyId: z.string().nullable(),
  stageId: z.string().nullable(),
  seed: z.number().int().nullable(),
  request: z.unknown(),
  progress: z
    .object({
      done: z.number(),
      total: z.number(),
      text: z.string(),
      remainingMs: z.number().nullable(),
      gpuMemoryBytes: z.number().optional(),
    })
    .nullable(),
  provenance: z.record(z.string(), z.unknown()).nullable(),
  error: errorShapeSchema.nullable(),
  /** Place in the queue: lower starts first. */
  position: z.number(),
  /** What it becomes as soon as it has stopped. */
  stopping: z.enum(['cancelled', 'paused']).nullable(),
  /** The last resume point: a resumed job goes on from there. */
  resumePoint: z.object({ step: z.number().int(), timeMs: z.number() }).nullable(),
  attempt: z.number().int(),
  lastSeq: z.number().int(),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
});
export type Job = z.infer<typeof jobSchema>;

/** A stage of a study's stored plan; `waiting` until what it depends on has succeeded. */
export const stageSchema = z.object({
  id: z.string(),
  seed: z.number().int(),
  kind: z.enum(jobKinds),
  title: z.string(),
  dependsOn: z.array(z.string()),
  state: z.enum(['waiting', ...jobStates]),
  jobId: z.string().nullable(),
  /** What its run has warned of: OOD accuracy lost. */
  alert: z.string().nullable(),
});
export type Stage = z.infer<typeof stageSchema>;

export const studySchema = z.object({
  id: z.string(),
  name: z.string(),
  settings: studySettingsSchema,
  state: z.enum(['draft', 'running', 'paused', 'succeeded', 'failed', 'cancelled', 'interrupted']),
  sample: z.boolean(),
  stages: z.array(stageSchema),
  createdAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  /** Grows with every change of anything below this study. */
  revision: z.number().int(),
  /** 0..1 over all stages, by expected time; null when not running. */
  progress: z.number(),
  remainingMs: z.number().nullable(),
});
export type Study = z.infer<typeof studySchema>;

export const tensorInfoSchema = z.object({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(z.number()),
  bytes: z.number(),
  file: z.string(),
});
export type TensorInfo = z.infer<typeof tensorInfoSchema>;
/** A tensor with what hashing has found; nulls while it has not been hashed. */
export const tensorRecordSchema = tensorInfoSchema.extend({
  hash: z.string().nullable(),
  norm: z.number().nullable(),
  nan: z.number().int().nullable(),
  infinite: z.number().int().nullable(),
});
export type TensorRecord = z.infer<typeof tensorRecordSchema>;
export const checkpointSchema = z.object({
  id: z.string(),
  name: z.string(),
  folder: z.string(),
  architecture: z.string(),
  modelType: z.string(),
  parameters: z.number(),
  bytes: z.number(),
  dtypes: z.array(z.string()),
  files: z.number().int(),
  tensors: z.number().int(),
  headerHash: z.string(),
  hasTokenizer: z.boolean(),
  studyId: z.string().nullable(),
  seed: z.number().int().nullable(),
  step: z.number().int().nullable(),
  importedAtMs: z.number(),
  missing: z.boolean(),
  /** SHA-256 over name, type, shape and bytes of every tensor; null while it has not been hashed. */
  contentHash: z.string().nullable(),
  /** Tensors with NaN or infinite values; null while they have not been counted. */
  nonFiniteTensors: z.number().int().nullable(),
  /** Name of the training run whose steps belong together; null when it stands alone. */
  trajectory: z.string().nullable(),
  /** Lineage: the checkpoint to go back to, and the one that training started from. */
  referenceId: z.string().nullable(),
  parentId: z.string().nullable(),
  /** Its files were copied into the data folder; else they are used where they lie. */
  copied: z.boolean(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;
export const checkpointDetailSchema = checkpointSchema.extend({
  config: z.record(z.string(), z.unknown()),
  tensorTable: z.array(tensorRecordSchema),
  /** Why its files cannot be read now; config and tensors are empty then. Null when they can. */
  fault: z.string().nullable(),
  /** Other checkpoints that hold some of the same tensors, most first. */
  sharing: z.array(sharingSchema),
});
export type CheckpointDetail = z.infer<typeof checkpointDetailSchema>;

/** One line a file or folder: verdict, stable code, text with the next step. Also what `rotascope import --json` prints. */
export const importVerdictSchema = z.object({
  path: z.string(),
  verdict: z.enum(['accepted', 'rejected']),
  code: z.string(),
  text: z.string(),
  warnings: z.array(z.string()),
  /** Of an accepted path: what it is. */
  summary: z
    .object({
      architecture: z.string(),
      parameters: z.number(),
      bytes: z.number(),
      tensors: z.number(),
      files: z.number(),
      /** Step of its run, from the names of its folders. */
      step: z.number().nullable(),
    })
    .nullable(),
  checkpointId: z.string().nullable(),
});
export type ImportVerdict = z.infer<typeof importVerdictSchema>;

/** The GPU that WebGPU finds here, whoever made it. */
export const gpuStatusSchema = z.object({
  /** As its driver calls it; empty without one. */
  name: z.string(),
  /** No tensor can be larger. */
  largestBufferBytes: z.number(),
  /** Whether it computes unless another backend is chosen. */
  use: z.boolean(),
  /** Why, or why not. */
  reason: z.string(),
  nextStep: z.string(),
});
export type GpuStatus = z.infer<typeof gpuStatusSchema>;

export const backends = ['tensorflow', 'webgpu', 'wasm'] as const;
export const backendChoiceSchema = z.enum(['auto', ...backends]);
export type BackendChoice = z.infer<typeof backendChoiceSchema>;

/** What the user wants to compute with; the next jobs start on it. */
export const computeChoiceSchema = z.object({
  backend: backendChoiceSchema,
  /** Of several GPUs: index or UUID (CUDA), a part of the name (WebGPU); empty for any. */
  gpu: z.string().trim().max(100),
});
export type ComputeChoice = z.infer<typeof computeChoiceSchema>;

export const computeStatusSchema = z.object({
  backend: z.enum(backends),
  /** "TensorFlow 2.21 · CPU", "WebGPU · GPU" or "WebAssembly · CPU". */
  label: z.string(),
  device: z.string(),
  /** Why this backend and not a faster one; empty when it is the best one. */
  reason: z.string(),
  /** What to do about it; empty when nothing. */
  nextStep: z.string(),
  cuda: z.object({ driver: z.string(), installed: z.boolean(), downloadBytes: z.number() }).nullable(),
  /** null while nothing is known of it. */
  gpu: gpuStatusSchema.nullable(),
  /** Floating-point operations a second in the products of a training step; null until it is measured. */
  productsPerSecond: z.number().positive().nullable(),
});
export type ComputeStatus = z.infer<typeof computeStatusSchema>;

export const appStateSchema = z.object({
  contractVersion: z.number(),
  version: z.string(),
  platform: z.string(),
  dataFolder: z.string(),
  diskFreeBytes: z.number(),
  physicalCores: z.number().int(),
  compute: computeStatusSchema,
  /** `fixed`: what the engine was started with (ROTASCOPE_BACKEND, ROTASCOPE_GPU) overrules it. */
  computeChoice: computeChoiceSchema.extend({ fixed: z.boolean() }),
  /** Notices that survive a reload: "The engine was restarted.". */
  notices: z.array(z.object({ id: z.string(), text: z.string(), timeMs: z.number() })),
  sampleAvailable: z.boolean(),
});
export type AppState = z.infer<typeof appStateSchema>;

/** What a dropped or given path is, before anything is kept: one line a path. */
export const foundPathSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('checkpoints'), path: z.string() }),
  /** The folder of an exported study. */
  z.object({
    kind: z.literal('study'),
    path: z.string(),
    name: z.string(),
    seeds: z.number().int(),
    checkpoints: z.number().int(),
  }),
  /** A file with settings of a study (YAML). */
  z.object({ kind: z.literal('settings'), path: z.string(), settings: studySettingsSchema }),
  /** It says that it is a study or settings, and is not right: the fact and the next step. */
  z.object({ kind: z.literal('refused'), path: z.string(), text: z.string() }),
]);
export type FoundPath = z.infer<typeof foundPathSchema>;

export const checkpointPatchSchema = z.object({
  name: z.string().trim().min(1).max(200).optional(),
  step: z.number().int().min(0).nullable().optional(),
  trajectory: z.string().trim().min(1).max(200).nullable().optional(),
  referenceId: z.string().nullable().optional(),
  parentId: z.string().nullable().optional(),
});
export type CheckpointPatch = z.infer<typeof checkpointPatchSchema>;

const id = z.object({ id: z.string() });
const none = z.object({});
const ok = z.object({ ok: z.literal(true) });
const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => ({ input, output });

export const calls = {
  'app.state': call(none, appStateSchema),
  'app.chooseCompute': call(computeChoiceSchema, ok),
  'app.diagnostics': call(none, z.object({ text: z.string() })),
  'app.dismissNotice': call(id, ok),
  'app.getUiState': call(none, z.record(z.string(), z.unknown())),
  'app.setUiState': call(z.record(z.string(), z.unknown()), ok),
  'app.selfTest': call(none, z.object({ jobId: z.string() })),

  'files.look': call(z.object({ paths: z.array(z.string()).min(1).max(200) }), z.array(foundPathSchema)),

  'studies.list': call(none, z.array(studySchema)),
  'studies.get': call(id, studySchema),
  'studies.estimate': call(
    studySettingsSchema,
    z.object({
      durationMs: z.number(),
      diskBytes: z.number(),
      jobs: z.number().int(),
      basis: z.string(),
      /** Of the stage that takes most, where the study starts from a checkpoint; null: not estimated. */
      memoryBytes: z.number().nullable(),
      /** What a stage may take of memory now; null: it is a GPU's, which says so itself. */
      freeMemoryBytes: z.number().nullable(),
      /** Why `studies.start` would refuse, in whole sentences with the numbers and the next step; empty: it starts. */
      problems: z.array(z.string()),
    }),
  ),
  /** The same settings find the same study unless `new`; a finished one is returned as it is. */
  'studies.create': call(z.object({ settings: studySettingsSchema, new: z.boolean().default(false) }), studySchema),
  'studies.start': call(id, studySchema),
  'studies.cancel': call(id, studySchema),
  'studies.resume': call(id, studySchema),
  /** This stage and all that depend on it run again; the numbers that they left are given up, their runs stay in the list. */
  'studies.rerun': call(z.object({ id: z.string(), stageId: z.string() }), studySchema),
  /** Settings as a YAML file, and back. @throws INVALID_REQUEST naming the line or the setting that is wrong */
  'studies.writeSettings': call(z.object({ settings: studySettingsSchema }), z.object({ text: z.string() })),
  'studies.readSettings': call(z.object({ text: z.string() }), studySettingsSchema),
  'studies.rename': call(z.object({ id: z.string(), name: z.string().trim().min(1).max(120) }), studySchema),
  'studies.remove': call(id, ok),
  'studies.restore': call(id, studySchema),
  'studies.openSample': call(none, studySchema),
  /** Of the folder of an exported study: a copy, checked before anything of it is kept. */
  'studies.import': call(z.object({ path: z.string().min(1) }), studySchema),
  'studies.result': call(id, studyResultSchema),
  'studies.comparisons': call(z.object({ id: z.string(), seed: z.number().int() }), z.array(comparisonSchema)),
  /** Scalars of every run of the study after `afterRevision` (0: all). */
  'studies.metrics': call(
    z.object({ id: z.string(), afterRevision: z.number().int().default(0) }),
    z.object({
      revision: z.number().int(),
      rows: z.array(
        z.object({ stageId: z.string(), step: z.number().int(), values: z.record(z.string(), z.number()) }),
      ),
    }),
  ),

  'jobs.list': call(z.object({ limit: z.number().int().min(1).max(2000).default(500) }), z.array(jobSchema)),
  'jobs.get': call(id, jobSchema),
  'jobs.cancel': call(id, jobSchema),
  /** A running one stops at its last checkpoint; it stays paused over restarts until it is resumed. */
  'jobs.pause': call(id, jobSchema),
  /** Before another waiting job, or last. @throws CONFLICT when one of the two does not wait */
  'jobs.move': call(z.object({ id: z.string(), beforeId: z.string().nullable() }), jobSchema),
  'jobs.resume': call(id, jobSchema),
  'jobs.events': call(
    z.object({
      id: z.string(),
      afterSeq: z.number().int().default(0),
      limit: z.number().int().max(5000).default(1000),
    }),
    z.array(workerEventSchema),
  ),
  /** Where a job keeps its files, and how much they are. */
  'jobs.folder': call(id, z.object({ path: z.string(), bytes: z.number() })),
  'jobs.log': call(id, z.object({ text: z.string(), truncated: z.boolean() })),

  'checkpoints.list': call(none, z.array(checkpointSchema)),
  'checkpoints.get': call(id, checkpointDetailSchema),
  /** Looks without importing: what a drop of these paths would do. */
  'checkpoints.preview': call(z.object({ paths: z.array(z.string()).min(1).max(200) }), z.array(importVerdictSchema)),
  /** `copy`: a job copies each into the data folder, and its row points at the copy afterwards. */
  'checkpoints.import': call(
    z.object({ paths: z.array(z.string()).min(1).max(200), copy: z.boolean().default(false) }),
    z.array(importVerdictSchema),
  ),
  'checkpoints.remove': call(id, ok),
  'checkpoints.restore': call(id, checkpointSchema),
  /** What the user says of checkpoints; fields that are left out stay. */
  'checkpoints.update': call(
    z.object({ ids: z.array(z.string()).min(1).max(20_000), patch: checkpointPatchSchema }),
    z.array(checkpointSchema),
  ),
  /** Hashes again, or for the first time; null when a job does so already. */
  'checkpoints.hash': call(
    z.object({ ids: z.array(z.string()).min(1).max(20_000) }),
    z.object({ jobId: z.string().nullable() }),
  ),
  /** Compares files, sizes, times and headers with what was stored; `content` also reads every value, in a job. */
  'checkpoints.verify': call(z.object({ id: z.string(), content: z.boolean().default(false) }), verificationSchema),
  /** The folder has moved. @throws SHAPE_MISMATCH naming what differs, when it is another checkpoint */
  'checkpoints.relink': call(z.object({ id: z.string(), path: z.string().min(1) }), checkpointSchema),
  /** What differs between two; the values are compared by a job, whose answer is there when it has succeeded. */
  'checkpoints.diff': call(z.object({ aId: z.string(), bId: z.string() }), checkpointDiffSchema),

  ...spectraCalls,
  ...sweepCalls,
  ...sampleCalls,
  ...hiddenStatesCalls,
  ...runsCalls,
  ...playCalls,
  ...queueCalls,
  ...storageCalls,
  ...dataFolderCalls,
} as const;
export type Calls = typeof calls;
export type CallName = keyof Calls;
export type CallInput<N extends CallName> = z.input<Calls[N]['input']>;
export type CallRequest<N extends CallName> = z.output<Calls[N]['input']>;
export type CallAnswer<N extends CallName> = z.output<Calls[N]['output']>;

/** Pushed by the engine to every connected view. */
export const engineEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), job: jobSchema }),
  z.object({ type: z.literal('queue'), ...queueSchema.shape }),
  z.object({ type: z.literal('study'), id: z.string(), revision: z.number().int() }),
  z.object({ type: z.literal('checkpoints') }),
  /** Notes, tags or the trash of runs. */
  z.object({ type: z.literal('runs') }),
  /** A comparison or a sweep has new rows, or another state; `id` is its job. */
  z.object({ type: z.literal('spectra'), id: z.string() }),
  z.object({ type: z.literal('sweep'), id: z.string() }),
  answerEventSchema,
  z.object({ type: z.literal('app') }),
]);
export type EngineEvent = z.infer<typeof engineEventSchema>;

/** What the engine offers over the wire (birpc): one function, so that every call passes the same checks. */
export interface EngineFunctions {
  call(name: string, input: unknown): Promise<{ ok: true; answer: unknown } | { ok: false; error: unknown }>;
}
/** What a view offers to the engine. */
export interface ViewFunctions {
  onEvents(events: EngineEvent[]): void;
}
