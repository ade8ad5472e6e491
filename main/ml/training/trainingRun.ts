/** What pretraining, SFT and PPO have in common: what they are given, and what they hand to the caller on the way. */
import type { Compute } from '../../compute/compute.ts';
import { AppError } from '../../contract/errors.ts';
import { LanguageModel } from '../model/languageModel.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import type { WeightMap } from '../model/weights.ts';
import type { Task } from '../tasks/task.ts';
import { type Stage, loadResumeState, saveResumeState } from './resumeState.ts';

/** A run at a step, as the callbacks see it. `model` is the one being trained: read it, evaluate it, do not keep it. */
export interface Trainer {
  readonly model: LanguageModel;
  /** Replaces the state in `folder` as a whole. */
  saveResumeState(folder: string): Promise<void>;
}

/** Where a run goes on from, what stops it, and what it hands out on the way. */
export interface RunHooks {
  /** Folder of a state that `saveResumeState` wrote, to go on from. */
  resume?: string | undefined;
  signal?: AbortSignal | undefined;
  /** `onResumePoint` is called after every so many steps or iterations; never unless given. */
  resumeEverySteps?: number;
  onMetrics?(step: number, values: Record<string, number>): void | Promise<void>;
  /** At every step (iteration) that the settings name as a checkpoint, before the next update. */
  onCheckpoint?(step: number, trainer: Trainer): void | Promise<void>;
  /** Before `onCheckpoint` of the same step: resuming there calls `onCheckpoint` again. */
  onResumePoint?(step: number, trainer: Trainer): void | Promise<void>;
}

export interface TrainingRequest<Settings> extends RunHooks {
  compute: Compute;
  config: ModelConfig;
  /** Where the run starts; a resumed run needs them too, for their shapes. */
  weights: WeightMap;
  task: Task;
  settings: Settings;
  seed: number;
  /** Every op as tfjs issues it, also on TensorFlow: for tests. */
  eager?: boolean;
}

/** Opens the model of a run; the caller disposes it. */
export function openRunModel<Settings>(request: TrainingRequest<Settings>): LanguageModel {
  const { compute, config, weights, eager } = request;
  return new LanguageModel(compute, config, weights, eager === undefined ? {} : { eager });
}

/**
 * The resume point of a run: what is stored, and where to go on.
 * @param counters read when a state is saved
 */
export function runState(
  request: { settings: unknown; seed: number; config: ModelConfig; resume?: string | undefined },
  model: LanguageModel,
  stage: Stage,
  counters: () => Record<string, number>,
): { trainer: Trainer; load(): Promise<Record<string, number> | null> } {
  const { settings, seed, config, resume } = request;
  const identity = { settings, seed, config };
  return {
    trainer: {
      model,
      saveResumeState: (folder) => saveResumeState(folder, model, { stage, request: identity, counters: counters() }),
    },
    load: async () => {
      return resume === undefined ? null : loadResumeState(resume, model, { stage, request: identity });
    },
  };
}

/** @throws CANCELLED */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new AppError('CANCELLED', 'The run was cancelled.', { cause: signal.reason });
}

/** @throws NOT_FINITE naming the value and the step */
export function checkFinite(step: number, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isFinite(value)) continue;
    const hint = 'Lower the learning rate or the clipping norm, or start from another checkpoint.';
    throw new AppError('NOT_FINITE', `Training diverged at step ${step}: ${name} is ${value}.`, { hint });
  }
}

/** Counts tokens against the clock: tokens per second since the last reading. */
export function tokenClock(): (tokens: number) => number {
  let last = performance.now();
  return (tokens) => {
    const now = performance.now();
    const perSecond = (tokens * 1000) / Math.max(now - last, 1e-3);
    last = now;
    return perSecond;
  };
}
