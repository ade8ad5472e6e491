/** What a study will cost on this machine, before it starts. */
import { statfsSync } from 'node:fs';
import type { CallAnswer, ComputeStatus } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { StudySettings } from '../contract/settings.ts';
import { makespanMs } from '../jobs/timeLeft.ts';
import type { JobStore } from '../store/jobStore.ts';
import type { PlannedStage } from '../studies/plan.ts';
import { checkpointsAtMost, protocol } from '../studies/protocol.ts';
import { assumedProductsPerSecond, parameterCount } from '../studies/stageWeights.ts';
import type { EngineContext } from './context.ts';
import { computesOnGpu } from './computeProbe.ts';
import { baseRow, studyMemoryBytes, withBase } from './studyBase.ts';

/** Weights are seconds with native TensorFlow; WebAssembly, one thread, takes about so many times longer (measured: 21). */
const wasmSlowdown = 20;
/** Newest runs of a kind that count. */
const remembered = 6;
const bytesPerParameter = 4;
const bytesPerGB = 1e9;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

export interface Pace {
  msPerWeight: number;
  /** In words, for the form. */
  basis: string;
}

/** From earlier jobs of the same sort on this machine where there are any, else from what is known of the backend. */
export function pace(jobs: JobStore, compute: ComputeStatus, { base }: StudySettings): Pace {
  const measured = (['pretrain', 'sft', 'rl', 'ablate'] as const).flatMap((kind) => {
    const paces = jobs.recentMsPerWeight(kind, base !== null, remembered);
    return paces.length > 0 ? [median(paces)] : [];
  });
  if (measured.length > 0) return { msPerWeight: median(measured), basis: 'Measured on earlier runs on this machine.' };
  return base === null ? recipePace(compute) : productsPace(compute);
}

function recipePace({ backend }: ComputeStatus): Pace {
  return backend === 'wasm'
    ? { msPerWeight: 1000 * wasmSlowdown, basis: 'Recipe times, scaled for WebAssembly; not measured here yet.' }
    : {
        msPerWeight: 1000,
        basis: `Recipe times on two cores with native TensorFlow; not measured ${backend === 'webgpu' ? 'on this GPU' : 'here'} yet.`,
      };
}

/** Of checkpoints nearly all time goes into matrix products. */
function productsPace({ productsPerSecond: rate }: ComputeStatus): Pace {
  return rate === null
    ? {
        msPerWeight: 1000,
        basis: 'From the operations of the model, at the speed of two cores; not measured here yet.',
      }
    : {
        msPerWeight: (1000 * assumedProductsPerSecond) / rate,
        basis: `From the operations of the model, at ${(rate / 1e9).toPrecision(2)} billion a second, measured here.`,
      };
}

/** Of the catalogue's row, wider where it is saved as F32; of a base that is trained its weights, which are. */
function checkpointBytes(context: EngineContext, { base, disk, model }: StudySettings): number {
  if (base === null) return bytesPerParameter * parameterCount(model);
  const { bytes, parameters } = baseRow(context, base);
  return disk.dtype === 'same' ? bytes : Math.max(bytes, bytesPerParameter * parameters);
}

/** Everything that a study leaves, and the resume states on the way. */
function studyDiskBytes(context: EngineContext, settings: StudySettings, plan: readonly PlannedStage[]): number {
  const { base, seeds, sft } = settings;
  const perRun = checkpointsAtMost(settings);
  const count = (kind: PlannedStage['kind']): number => plan.filter((stage) => stage.kind === kind).length;
  const [sftRuns, rlRuns] = [count('sft'), count('rl')];
  const own = base === null ? seeds.length : -sftRuns;
  const checkpoints = own + sftRuns * perRun.sft + rlRuns * perRun.rl;
  // Weights and two moments in float32, the old state and the new one; of one run where runs have the machine to themselves.
  const states = base === null ? seeds.length + rlRuns : 1;
  const parameters = base === null ? parameterCount(settings.model) : (baseRow(context, base).parameters ?? 0);
  const stateBytes = states * (base === null ? 3 : 6) * bytesPerParameter * parameters;
  // The decompositions of the start, until the run has ended: about as many numbers as it has weights.
  const spectraBytes = base !== null && sft.spectralDrift ? bytesPerParameter * parameters : 0;
  return Math.round(checkpoints * checkpointBytes(context, settings) + stateBytes + spectraBytes);
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;

/** Null when there is room. */
function diskProblem(context: EngineContext, settings: StudySettings, diskBytes: number): AppError | null {
  const { budgetGB, keep } = settings.disk;
  const { bavail, bsize } = statfsSync(context.dataFolder);
  const [free, budget] = [bavail * bsize, budgetGB === null ? Infinity : budgetGB * bytesPerGB];
  if (diskBytes <= Math.min(free, budget)) return null;
  const limit =
    budget < free ? `its budget is ${gigabytes(budget)}` : `${gigabytes(free)} are free in ${context.dataFolder}`;
  const named = keep === 'all' ? 'Keep the named checkpoints only (disk.keep), list' : 'List';
  const room = budget < free ? 'raise disk.budgetGB' : 'free some space';
  return new AppError('DISK_FULL', `This study writes about ${gigabytes(diskBytes)}; ${limit}.`, {
    hint: `${named} fewer SFT checkpoints (sft.checkpoints), or ${room}.`,
    details: { diskBytes, freeBytes: free, budgetBytes: budgetGB === null ? null : budget },
  });
}

/** @throws DISK_FULL with the numbers; NOT_FOUND the checkpoint to start from has gone */
export function requireDisk(context: EngineContext, settings: StudySettings): void {
  const problem = diskProblem(context, settings, studyDiskBytes(context, settings, protocol.plan(settings)));
  if (problem) throw problem;
}

export async function estimateStudy(
  context: EngineContext,
  asked: StudySettings,
): Promise<CallAnswer<'studies.estimate'>> {
  const problems: string[] = [];
  const settings = await withBase(context, asked).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    problems.push(sentences(error));
    return null;
  });
  const { store, compute, supervisor } = context;
  const plan = protocol.plan(settings ?? asked);
  const { msPerWeight, basis } = pace(store.jobs, compute.status, asked);
  // A run on a checkpoint has the machine to itself.
  const slots = asked.base === null ? supervisor.slots : 1;
  const durationMs = makespanMs(
    plan.map((stage) => ({ ...stage, durationMs: stage.weight * msPerWeight })),
    slots,
  );
  const freeMemoryBytes = computesOnGpu(compute.status) ? null : process.availableMemory();
  const common = { durationMs: Math.round(durationMs), jobs: plan.length, basis, freeMemoryBytes };
  if (settings === null) return { ...common, diskBytes: 0, memoryBytes: null, problems };
  const diskBytes = studyDiskBytes(context, settings, plan);
  const noRoom = diskProblem(context, settings, diskBytes);
  if (noRoom) problems.push(sentences(noRoom));
  return { ...common, diskBytes, memoryBytes: await studyMemoryBytes(settings), problems };
}

const sentences = ({ message, hint }: AppError): string => (hint === undefined ? message : `${message} ${hint}`);
