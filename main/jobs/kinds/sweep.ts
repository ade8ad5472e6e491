/**
 * A sweep: edits of a target towards a reference, their controls, doses and ceilings, or mixtures of both, point by point.
 *
 * Both checkpoints are decomposed once; for each point the matrices are recombined, the weights go into a model without a
 * checkpoint on disk, and the model is asked the frozen ID and OOD episodes. A model that cannot be asked here is
 * edited all the same: the size of the change, the orthogonality defect and the effective rank need no evaluation.
 * Points are independent: several are made at a time, and each is kept on disk as it is done (`pointCache.ts`).
 */
import { createHash } from 'node:crypto';
import type { Compute } from '../../compute/compute.ts';
import { lapackStatus } from '../../compute/lapack.ts';
import type { Precision } from '../../contract/spectral.ts';
import { sweepRequestSchema } from '../../contract/sweeps.ts';
import type { SweepPoint, SweepRequest } from '../../contract/sweeps.ts';
import { whyNotEvaluated } from '../../ml/evaluation/canEvaluate.ts';
import { PointEditor } from '../../ml/reversion/editPoint.ts';
import { planSweep } from '../../ml/reversion/planSweep.ts';
import { pointContent, type PairContent } from '../../ml/reversion/pointContent.ts';
import { sweepShape } from '../../ml/reversion/sweepShape.ts';
import { Decomposer } from '../../ml/spectral/decomposer.ts';
import { DecompositionCache } from '../../ml/spectral/decompositionCache.ts';
import { sideBySide } from '../../ml/spectral/sideBySide.ts';
import type { JobContext } from '../jobContext.ts';
import { PointCache } from './pointCache.ts';
import { OrderedPoints, PointMaker } from './pointMaker.ts';
import { SweepCheckpoints, type OpenPair } from './sweepCheckpoints.ts';
import { modelsSideBySide, SweepModels } from './sweepModels.ts';

/** Share of the free memory for decompositions and edits that points have in common. */
const memoryShare = 0.25;

export interface SweepOutput {
  points: number;
  /** Why points have no accuracies; null when they have. */
  notEvaluated: string | null;
  /** Points that cannot be made, a sentence each. */
  skipped: string[];
}

export async function kind(context: JobContext): Promise<SweepOutput> {
  const request = sweepRequestSchema.parse(context.request);
  const checkpoints = new SweepCheckpoints();
  try {
    return await runSweep(context, request, checkpoints, request.settings.precision);
  } finally {
    await checkpoints.close();
  }
}

async function runSweep<P extends Precision>(
  context: JobContext,
  request: SweepRequest,
  checkpoints: SweepCheckpoints,
  precision: P,
): Promise<SweepOutput> {
  const { settings, resources } = request;
  const pairs: OpenPair[] = [];
  for (const pair of request.pairs) pairs.push(await checkpoints.pair(pair, settings));
  const { points } = planSweep(settings, pairs.length, sweepShape(pairs.map(({ weights }) => weights)));

  const compute = await context.compute();
  const threads = modelsSideBySide(compute, settings.task, resources.threads);
  const notEvaluated = await whyNone(pairs, request, threads);
  if (notEvaluated !== null)
    context.emit({ type: 'log', level: 'warn', text: `The points are not evaluated. ${notEvaluated}` });

  const cache = new DecompositionCache(resources.cacheFolder, resources.cacheBudgetBytes);
  const decomposer = new Decomposer({ precision, cache, signal: context.signal });
  const editor = new PointEditor(decomposer, settings, memoryShare * process.availableMemory());
  await decomposeOnce(context, pairs, editor, points.length, resources.threads);
  await decomposer.settle();
  const contents: PairContent[] = [];
  for (const pair of pairs) contents.push(await checkpoints.content(pair));

  const models = notEvaluated === null ? new SweepModels(compute, settings.task) : null;
  const kept = new PointCache(resources.cacheFolder, environmentOf(compute));
  const maker = new PointMaker({ context, checkpoints, pairs, editor, models, kept });
  const done = new OrderedPoints(context, points.length);
  const visit = async (point: SweepPoint, index: number): Promise<void> => {
    const content = pointContent(point, settings, contents[point.pair]!, models !== null);
    done.put(index, await maker.result(point, content));
  };
  try {
    await sideBySide(points, models ? threads : 1, visit, context.signal);
  } finally {
    models?.dispose();
  }
  return { points: points.length - maker.skipped.length, notEvaluated, skipped: maker.skipped };
}

/** One answer for all pairs: an accuracy of some points would have nothing to be compared with. */
async function whyNone(pairs: readonly OpenPair[], { settings }: SweepRequest, models: number): Promise<string | null> {
  for (const { targetCheckpoint, referenceCheckpoint } of pairs)
    for (const checkpoint of [targetCheckpoint, referenceCheckpoint]) {
      const why = await whyNotEvaluated(checkpoint, settings.task, {
        models,
        availableBytes: process.availableMemory(),
      });
      if (why !== null) return why;
    }
  return null;
}

/** What changes bits beside the weights and the settings. */
function environmentOf({ provenance }: Compute): string {
  const facts = { ...provenance, linearAlgebra: lapackStatus().configuration ?? 'TypeScript' };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}

/** Every edited matrix of every checkpoint, so that no point waits for a decomposition. */
async function decomposeOnce<P extends Precision>(
  context: JobContext,
  pairs: readonly OpenPair[],
  editor: PointEditor<P>,
  points: number,
  threads: number,
): Promise<void> {
  const all = pairs.flatMap(({ target, reference, weights }) =>
    weights.flatMap(({ name }) => [target, reference].map((source) => ({ source, name }))),
  );
  let done = 0;
  const decomposed = async ({ source, name }: (typeof all)[number]): Promise<void> => {
    await editor.decomposition(source, name);
    const text = `Decomposition ${++done} of ${all.length}`;
    context.emit({ type: 'progress', done: 0, total: points, text });
  };
  await sideBySide(all, threads, decomposed, context.signal);
}
