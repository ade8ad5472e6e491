/**
 * The tables, one interface each. Columns that hold JSON are text here and are read and written by the file of their
 * table group. Times are Unix, ms. `deletedAtMs` marks what is in the trash.
 */
import type { Generated } from 'kysely';

export interface StudiesTable {
  id: string;
  name: string;
  settingsJson: string;
  settingsHash: string;
  state: string;
  sample: number;
  revision: number;
  createdAtMs: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
  deletedAtMs: number | null;
}

export interface StagesTable {
  studyId: string;
  id: string;
  position: number;
  seed: number;
  kind: string;
  title: string;
  dependsOnJson: string;
  /** Expected duration, s. */
  weight: number;
  state: string;
  jobId: string | null;
  /** What the stage left for the stages after it; set when it has succeeded. */
  outputJson: string | null;
  /** Why it was skipped. */
  note: string | null;
}

export interface JobsTable {
  id: string;
  kind: string;
  title: string;
  state: string;
  studyId: string | null;
  stageId: string | null;
  seed: number | null;
  requestJson: string;
  progressJson: string | null;
  provenanceJson: string | null;
  errorJson: string | null;
  outputJson: string | null;
  attempt: number;
  /** Attempts that the engine started by itself since the last resume point. */
  automaticAttempts: Generated<number>;
  /** Sequence number of the newest event taken in, and where the next line of events.jsonl begins. */
  lastSeq: Generated<number>;
  ingestedBytes: Generated<number>;
  /** First event of the attempt that runs now; rows of former attempts at the same or a later step give way. */
  attemptSeq: Generated<number>;
  /** Place in the queue: lower starts first. */
  position: Generated<number>;
  /** What it was asked to become while it runs: 'cancelled' or 'paused'. */
  stopping: string | null;
  /** The last one of all attempts. */
  resumePointJson: string | null;
  createdAtMs: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
}

/** One row. */
export interface QueueTable {
  paused: number;
}

export interface EventsTable {
  jobId: string;
  seq: number;
  timeMs: number;
  type: string;
  payloadJson: string;
}

export interface MetricsTable {
  jobId: string;
  step: number;
  seq: number;
  /** Revision of the study at which the row was written. */
  revision: number;
  valuesJson: string;
}

export interface EvaluationsTable {
  jobId: string;
  step: number;
  seq: number;
  evaluationJson: string;
  folder: string | null;
}

export interface AblationsTable {
  jobId: string;
  /** What makes a point the same point: stage, pair, edit, control, replicate, alpha. */
  pointKey: string;
  seq: number;
  pointJson: string;
}

export interface ComparisonsTable {
  jobId: string;
  reference: string;
  target: string;
  seq: number;
  comparisonJson: string;
}

export interface CheckpointsTable {
  id: string;
  name: string;
  folder: string;
  architecture: string;
  modelType: string;
  parameters: number;
  bytes: number;
  dtypesJson: string;
  files: number;
  tensors: number;
  headerHash: string;
  hasTokenizer: number;
  studyId: string | null;
  seed: number | null;
  step: number | null;
  importedAtMs: number;
  deletedAtMs: number | null;
  contentHash: string | null;
  nonFiniteTensors: number | null;
  /** Files as they were when they were last looked at, to name what is missing, extra or changed. */
  filesJson: string | null;
  trajectory: string | null;
  referenceId: string | null;
  parentId: string | null;
  copied: Generated<number>;
}

export interface CheckpointTensorsTable {
  checkpointId: string;
  position: number;
  name: string;
  /** SHA-256 over type, shape and bytes. */
  hash: string;
  norm: number | null;
  nan: number;
  infinite: number;
}

/** Comparisons and sweeps: what makes an order the same order, and the trash. The rest is the job's. */
export interface AnalysesTable {
  jobId: string;
  kind: string;
  orderHash: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

export interface MatrixRowsTable {
  jobId: string;
  target: number;
  weight: string;
  seq: number;
  summaryJson: string;
  file: string;
}

export interface SweepPointsTable {
  jobId: string;
  pointKey: string;
  seq: number;
  /** The result without its per-matrix records, and those. */
  pointJson: string;
  matricesJson: string;
}

/** Of a training run: what its user says, and a summary of its series. */
export interface RunsTable {
  jobId: string;
  note: Generated<string>;
  tagsJson: Generated<string>;
  deletedAtMs: number | null;
  /** `lastSeq` of the job when its series were made; null before. */
  seriesSeq: number | null;
  points: Generated<number>;
  lastStep: number | null;
  lastJson: Generated<string>;
  peakOodJson: string | null;
}

/** One quantity of a run over its steps: int32 and float64, little-endian, of equal count, by ascending step. */
export interface RunSeriesTable {
  jobId: string;
  name: string;
  steps: Buffer;
  values: Buffer;
}

export interface UiStateTable {
  key: string;
  valueJson: string;
}

export interface EngineSettingsTable {
  id: number;
  settingsJson: string;
}

export interface NoticesTable {
  id: string;
  text: string;
  timeMs: number;
}

export interface Schema {
  studies: StudiesTable;
  stages: StagesTable;
  jobs: JobsTable;
  queue: QueueTable;
  events: EventsTable;
  metrics: MetricsTable;
  evaluations: EvaluationsTable;
  ablations: AblationsTable;
  comparisons: ComparisonsTable;
  checkpoints: CheckpointsTable;
  checkpointTensors: CheckpointTensorsTable;
  analyses: AnalysesTable;
  matrixRows: MatrixRowsTable;
  sweepPoints: SweepPointsTable;
  runs: RunsTable;
  runSeries: RunSeriesTable;
  uiState: UiStateTable;
  engineSettings: EngineSettingsTable;
  notices: NoticesTable;
}
