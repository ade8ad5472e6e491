/** What a sweep would do, before it starts: from headers, hashes that are known, and how fast earlier points were. */
import { readdir } from 'node:fs/promises';
import type { CallAnswer } from '../contract/api.ts';
import type { CheckpointRef } from '../contract/spectral.ts';
import { isTextTask } from '../contract/settings.ts';
import type { SweepPoint, SweepRequest } from '../contract/sweeps.ts';
import { pointsFolder } from '../jobs/kinds/pointCache.ts';
import { companionDigest } from '../ml/checkpoints/companionFiles.ts';
import { openCheckpoint, type Checkpoint } from '../ml/checkpoints/openCheckpoint.ts';
import { evaluationBytes, whyNotEvaluated } from '../ml/evaluation/canEvaluate.ts';
import { planSweep, type SweepPlan, type SweepShape } from '../ml/reversion/planSweep.ts';
import { pointContent, type PairContent } from '../ml/reversion/pointContent.ts';
import { editedWeights, sweepShape, type EditedWeight } from '../ml/reversion/sweepShape.ts';
import { decompositionFlops } from '../ml/spectral/comparisonCost.ts';
import type { EngineContext } from './context.ts';

/** One point of the miniature study (600 episodes a split, 0.14 million parameters) on one core, ms; measured. */
const miniaturePointMs = 600;
const miniatureParameters = 140_000;
const miniatureEpisodes = 600;
/** WebAssembly, one thread, takes about so many times longer. */
const wasmSlowdown = 20;
/** A worker's start, TensorFlow's and the compilation of the steps, ms. */
const startMs = 5000;
/** One core with OpenBLAS, float32. */
const flopsPerMs = 1.5e7;
/** Newest sweeps whose pace counts. */
const remembered = 3;
/** A point in the cache and in the database. */
const bytesPerPoint = 20_000;
/** A kept answer in text with the dialogue before it; large files of them are compressed. */
const bytesPerAnswer = 2500;
const workerBytes = 150e6;
/** Of a matrix under way: both decompositions, both matrices, the edit and its change. */
const matricesHeld = 8;

export interface SweepFacts {
  plan: SweepPlan;
  shape: SweepShape;
  /** Edited weights of each pair. */
  weights: EditedWeight[][];
  /** Of the target of each pair. */
  companions: string[];
  parameters: number;
  notEvaluated: string | null;
}

/**
 * Reads headers only.
 * @throws NOT_FOUND | SHAPE_MISMATCH naming the first weight that differs; INVALID_REQUEST; as `openCheckpoint`
 */
export async function sweepFacts(request: SweepRequest): Promise<SweepFacts> {
  const { pairs, settings, resources } = request;
  const open = new Map<string, Checkpoint>();
  const opened = async ({ folder }: CheckpointRef): Promise<Checkpoint> => {
    const checkpoint = open.get(folder) ?? (await openCheckpoint(folder));
    open.set(folder, checkpoint);
    return checkpoint;
  };
  try {
    const weights: EditedWeight[][] = [];
    for (const { target, reference } of pairs)
      weights.push(editedWeights((await opened(target)).tensors, (await opened(reference)).tensors, settings));
    const shape = sweepShape(weights);
    const plan = planSweep(settings, pairs.length, shape);
    const parameters = [...open.values()][0]!.tensors;
    const memory = {
      models: isTextTask(settings.task.name) ? 1 : resources.threads,
      availableBytes: process.availableMemory(),
    };
    let notEvaluated: string | null = null;
    for (const checkpoint of open.values()) notEvaluated ??= await whyNotEvaluated(checkpoint, settings.task, memory);
    const companions: string[] = [];
    for (const { target } of pairs) companions.push(await companionDigest((await opened(target)).place));
    const elements = sum([...parameters.values()].map((t) => t.elements));
    return { plan, shape, weights, companions, parameters: elements, notEvaluated };
  } finally {
    for (const checkpoint of open.values()) await checkpoint.close();
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);

/** Content of a pair from the catalogue's hashes; null while one of them is missing. */
function knownContent(
  { store }: EngineContext,
  target: CheckpointRef,
  reference: CheckpointRef,
  weights: readonly EditedWeight[],
  companions: string,
): PairContent | null {
  if (target.contentHash === null || reference.contentHash === null) return null;
  const hashes = ({ id }: CheckpointRef): Map<string, string> =>
    new Map(store.checkpoints.digests(id).map(({ name, hash }) => [name, hash]));
  const [ofTarget, ofReference] = [hashes(target), hashes(reference)];
  const known = weights.flatMap((weight) => {
    const [targetHash, referenceHash] = [ofTarget.get(weight.name), ofReference.get(weight.name)];
    return targetHash && referenceHash ? [{ ...weight, targetHash, referenceHash }] : [];
  });
  if (known.length < weights.length) return null;
  return { target: target.contentHash, reference: reference.contentHash, companions, weights: known };
}

/** Points whose numbers are on the disk, as far as the catalogue has hashed the checkpoints. */
async function knownPoints(context: EngineContext, request: SweepRequest, facts: SweepFacts): Promise<SweepPoint[]> {
  const names = await readdir(pointsFolder(request.resources.cacheFolder)).catch(() => []);
  const kept = new Set(names.map((name) => name.split('-')[0]));
  if (kept.size === 0) return [];
  const contents = request.pairs.map(({ target, reference }, pair) =>
    knownContent(context, target, reference, facts.weights[pair]!, facts.companions[pair]!),
  );
  return facts.plan.points.filter((point) => {
    const content = contents[point.pair];
    return content && kept.has(pointContent(point, request.settings, content, facts.notEvaluated === null));
  });
}

/** How long one point takes on one core, ms: from earlier sweeps where there are any. */
function pointMs({ store, compute }: EngineContext, request: SweepRequest, facts: SweepFacts): number {
  const episodes = request.settings.task.evaluationEpisodes;
  const evaluated = facts.notEvaluated === null;
  const earlier = store.analyses
    .list('sweep')
    .slice(0, remembered)
    .flatMap(({ jobId }) => store.analyses.points(jobId))
    .filter(({ reused, evaluation }) => !reused && evaluated && evaluation?.ood.n === episodes);
  if (earlier.length > 0) {
    const times = earlier.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)]!;
  }
  if (evaluated) {
    const size = (facts.parameters / miniatureParameters) * (episodes / miniatureEpisodes);
    return miniaturePointMs * size * (compute.status.backend === 'wasm' ? wasmSlowdown : 1);
  }
  // two products of an edited matrix with its vectors, and reading the vectors
  return sum(facts.weights[0]!.map(({ rows, columns, rank }) => 4 * rows * columns * rank)) / flopsPerMs;
}

/** Of one point of a task in text: counted, forced and of pass@k. */
function answersBytes({ task: { name, evaluationEpisodes, text } }: SweepRequest['settings']): number {
  if (!isTextTask(name)) return 0;
  return 2 * evaluationEpisodes * (text.attempts + 1 + (text.samples > 1 ? text.samples : 0)) * bytesPerAnswer;
}

export async function planAnswer(context: EngineContext, request: SweepRequest): Promise<CallAnswer<'sweeps.plan'>> {
  const facts = await sweepFacts(request);
  const { plan, shape, weights, parameters, notEvaluated } = facts;
  const { resources, settings } = request;
  const known = await knownPoints(context, request, facts);
  const all = weights.flat();
  const { threads } = resources;
  const decompositions = (2 * sum(all.map(({ rows, columns }) => decompositionFlops([rows, columns])))) / flopsPerMs;
  const sideBySide = notEvaluated === null && !isTextTask(settings.task.name);
  const slots = sideBySide && context.compute.status.backend === 'tensorflow' ? threads : 1;
  const left = plan.points.length - known.length;
  const work = (left * pointMs(context, request, facts)) / slots + (left > 0 ? decompositions / threads : 0);
  const bytes = settings.precision === 'float64' ? 8 : 4;
  const factors = 2 * sum(all.map(({ rows, columns, rank }) => bytes * rank * (rows + columns + 1)));
  const largest = Math.max(0, ...all.map(({ rows, columns }) => rows * columns)) * bytes;
  const peak =
    notEvaluated === null ? evaluationBytes(parameters, slots) : workerBytes + threads * matricesHeld * largest;
  return {
    points: plan.points.length,
    known: known.length,
    durationMs: Math.round(startMs + work),
    diskBytes: Math.round(
      Math.min(factors, resources.cacheBudgetBytes) +
        left * (bytesPerPoint + (notEvaluated === null ? answersBytes(settings) : 0)),
    ),
    peakBytes: Math.round(peak),
    layers: shape.layers.length,
    largestRank: shape.largestRank,
    layerCounts: plan.layerCounts,
    rankCounts: plan.rankCounts,
    notEvaluated,
  };
}
