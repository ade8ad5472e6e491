/**
 * Reversions of the whole model beside their controls, and interpolation: each point is an edited model, evaluated
 * without a checkpoint on disk. One decomposition of each checkpoint serves every point.
 *
 * Stage 'sft' edits SFT_End towards the OOD peak, stage 'rl' edits RL_End towards SFT_End (paper, section 4.1).
 */
import type { AblationPoint, StudyCheckpoint } from '../../contract/studyResult.ts';
import { ablateRequestSchema } from '../../contract/requests.ts';
import type { AblateRequest } from '../../contract/requests.ts';
import { openEvaluator } from '../../ml/evaluation/evaluator.ts';
import { LanguageModel } from '../../ml/model/languageModel.ts';
import { controlModel, interpolateWeights, revertModel } from '../../ml/reversion/revertModel.ts';
import type { CheckpointPair, EditedModel, ModelReversion } from '../../ml/reversion/revertModel.ts';
import { CheckpointDecompositions } from '../../ml/spectral/checkpointDecompositions.ts';
import { targetWeights } from '../../ml/spectral/targetWeights.ts';
import type { JobContext } from '../jobContext.ts';
import { readWeights } from './checkpointFolders.ts';

type Point = Pick<AblationPoint, 'stage' | 'reference' | 'target' | 'edit' | 'control' | 'replicate' | 'alpha'>;

const stages = [
  { stage: 'sft', target: 'end', reference: 'peak' },
  { stage: 'rl', target: 'rlEnd', reference: 'end' },
] as const satisfies Pick<Point, 'stage' | 'reference' | 'target'>[];

/** In a fixed order, so that a resumed job goes on where it stopped: edits first, then doses, then replicates. */
export function ablationPoints({ ablation, checkpoints }: AblateRequest): Point[] {
  // the peak may be SFT_End itself: then there is nothing to go back to
  const pairs = stages.filter(({ target, reference }) => checkpoints[target] !== checkpoints[reference]);
  const reversions = ['singularValues', 'singularVectors'] as const;
  const replicates = Array.from({ length: ablation.controlReplicates }, (_, replicate) => replicate);
  const back = { stage: 'sft', target: 'end', reference: 'base' } as const;
  return [
    ...pairs.flatMap((pair) => [...reversions, 'both' as const].map((edit) => ({ ...pair, edit }))),
    ...pairs.flatMap((pair) => reversions.map((edit) => ({ ...pair, edit, control: 'dose' as const }))),
    ...[...pairs, back].flatMap((pair) =>
      ablation.interpolationAlphas.map((alpha) => ({ ...pair, edit: 'interpolation' as const, alpha })),
    ),
    ...replicates.flatMap((replicate) =>
      pairs.flatMap((pair) => reversions.map((edit) => ({ ...pair, edit, control: 'scrambled' as const, replicate }))),
    ),
  ];
}

function editedModel(point: Point, pair: CheckpointPair, request: AblateRequest): EditedModel {
  if (point.edit === 'interpolation')
    return interpolateWeights(pair.target.weights, pair.reference.weights, point.alpha!);
  const weights = targetWeights(pair.target.weights, { matrices: request.ablation.matrices });
  const edit: ModelReversion = { revert: point.edit, weights: weights.map(({ name }) => name) };
  if (point.control === undefined) return revertModel(pair, edit);
  if (point.control === 'dose') return controlModel(pair, edit, { control: 'dose' });
  const study = `seed ${request.seed} stage ${point.stage}`;
  return controlModel(pair, edit, { control: point.control, study, replicate: point.replicate! });
}

export async function kind(context: JobContext): Promise<{ points: number }> {
  const request = ablateRequestSchema.parse(context.request);
  const compute = await context.compute();
  const evaluator = await openEvaluator(request.task, request.checkpoints.end);
  const points = ablationPoints(request);

  const decompositions = new Map<StudyCheckpoint, CheckpointDecompositions>();
  let model: LanguageModel | null = null;
  for (const name of new Set(points.flatMap(({ target, reference }) => [target, reference]))) {
    const { config, weights } = await readWeights(request.checkpoints[name]);
    decompositions.set(name, new CheckpointDecompositions(weights));
    model ??= new LanguageModel(compute, config, weights);
  }
  if (!model) return { points: 0 };
  try {
    for (let index = context.resumeStep ?? 0; index < points.length; index++) {
      context.signal.throwIfAborted();
      const point = points[index]!;
      const text = `Edited model ${index + 1} of ${points.length}`;
      context.emit({ type: 'progress', done: index, total: points.length, text });
      const pair = {
        target: decompositions.get(point.target)!,
        reference: decompositions.get(point.reference)!,
      };
      const { weights, record } = editedModel(point, pair, request);
      await model.writeWeights(weights);
      const { changeNorm, relativeChange, orthogonalityDefect, effectiveRank, negativeSingularValues } = record;
      const facts = { changeNorm, relativeChange, orthogonalityDefect, effectiveRank, negativeSingularValues };
      const { evaluation } = await evaluator.evaluate(model, { signal: context.signal });
      const scale = record.scale === null ? {} : { scale: record.scale };
      context.emit({ type: 'ablation', point: { ...point, ...facts, ...scale, evaluation } });
      context.emit({ type: 'resumePoint', step: index + 1 });
    }
  } finally {
    model.dispose();
  }
  return { points: points.length };
}
