/**
 * Supervised fine-tuning on in-distribution examples in the task's format: a fixed set with one fixed answer each, seen
 * in epochs (paper, section 2; miniature recipe, stage 1). The loss counts answer tokens only.
 */
import type { SftSettings } from '../../contract/settings.ts';
import { Philox } from '../random/philox.ts';
import type { WeightMap } from '../model/weights.ts';
import type { Episode, Task } from '../tasks/task.ts';
import { rotationPenalty } from './rotationPenalty.ts';
import { epochRows, runSft } from './sftLoop.ts';
import { stackRows, supervisedTraining } from './supervised.ts';
import { type TrainingRequest, openRunModel } from './trainingRun.ts';

type TokenSftSettings = Omit<SftSettings, 'text'>;

/** The training set of a seed: the same at every call. */
export function sftExamples(task: Task, settings: TokenSftSettings, seed: number): Episode[] {
  return Array.from({ length: settings.examples }, (_, i) =>
    task.trainingEpisode('inDist', new Philox(seed, 'sft examples', i)),
  );
}

/** @returns the weights after the last step. @throws INVALID_REQUEST | CANCELLED | NOT_FINITE */
export async function trainSft(request: TrainingRequest<TokenSftSettings>): Promise<WeightMap> {
  const { task, settings, seed } = request;
  const { batchSize, weightDecay, maxGradNorm } = settings;
  const batchOf = sftBatches(task, settings, seed);
  const model = openRunModel(request);
  try {
    const { coefficient } = settings.rotationPenalty;
    const penalty =
      coefficient > 0
        ? {
            coefficient,
            value: await rotationPenalty(model, (name) => request.weights.get(name)!.data, settings.rotationPenalty),
          }
        : undefined;
    const update = supervisedTraining(model, task, { batchSize, maxGradNorm, weightDecay, penalty });
    const tokensOf = (batch: Int32Array): number => batch.length;
    await runSft({ ...request, model, identity: settings, batchOf, tokensOf, update });
    return await model.readWeights();
  } finally {
    model.dispose();
  }
}

/** @returns the batch of a step, [batchSize * (promptLength + answerLength)] */
function sftBatches(task: Task, settings: TokenSftSettings, seed: number): (step: number) => Int32Array {
  const rowsOf = epochRows(settings.examples, settings.batchSize, seed);
  const rows = sftExamples(task, settings, seed).map(({ prompt, answer }) => Int32Array.of(...prompt, ...answer));
  return (step) => stackRows(Array.from(rowsOf(step), (row) => rows[row]!));
}
