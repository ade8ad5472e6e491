/**
 * Hidden states of a task's frozen prompts: the last prompt token after the final norm. A kind of task is one function from
 * a checkpoint's folder to states; everything that is made of states (bases, distances) knows no task.
 */
import type { Compute } from '../../compute/compute.ts';
import { AppError } from '../../contract/errors.ts';
import type { HiddenStatesSettings } from '../../contract/hiddenStates.ts';
import { openCheckpoint } from '../checkpoints/openCheckpoint.ts';
import { loadModel } from '../model/modelFolder.ts';
import type { Matrix } from '../spectral/linearAlgebra.ts';
import type { Split } from '../tasks/task.ts';
import { whyNotEvaluated } from './canEvaluate.ts';
import { episodeSets, openTask } from './evaluateModel.ts';

/** [prompts, hidden] of each split; row i is the same prompt at every checkpoint. */
export type PromptStates = Record<Split, Matrix<Float32Array>>;

/** Loads the model of a folder, asks it, and disposes it. @throws CHECKPOINT_UNSUPPORTED with the reason */
export type StateReader = (folder: string, signal: AbortSignal) => Promise<PromptStates>;

/** Of a task in tokens: the first held-out prompts of each split, which are those of its evaluations. */
export function tokenStateReader(compute: Compute, { task: settings, prompts }: HiddenStatesSettings): StateReader {
  const task = openTask(settings);
  const { inDist, ood } = episodeSets(task, { ...settings, evaluationEpisodes: prompts });
  const ids = Int32Array.from([...inDist, ...ood].flatMap(({ prompt }) => [...prompt]));
  return async (folder, signal) => {
    const checkpoint = await openCheckpoint(folder);
    try {
      const why = await whyNotEvaluated(checkpoint, task, { models: 1, availableBytes: process.availableMemory() });
      if (why !== null)
        throw new AppError('CHECKPOINT_UNSUPPORTED', `${folder} cannot be asked the prompts of ${task.name}. ${why}`, {
          hint: 'Choose checkpoints of one study, or the task that they were trained on.',
        });
    } finally {
      await checkpoint.close();
    }
    const model = await loadModel(compute, folder, signal);
    try {
      const { shape, data } = await model.hiddenLastToken(ids, task.promptLength);
      const [, rows, columns] = shape;
      return bySplit({ rows, columns, data: data.slice(-rows * columns) });
    } finally {
      model.dispose();
    }
  };
}

/** The first half of the rows is ID, the second OOD. */
export function bySplit({ rows, columns, data }: Matrix<Float32Array>): PromptStates {
  const half = rows / 2;
  return {
    inDist: { rows: half, columns, data: data.subarray(0, half * columns) },
    ood: { rows: half, columns, data: data.subarray(half * columns) },
  };
}
