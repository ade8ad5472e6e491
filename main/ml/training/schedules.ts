/** Learning rates as functions of the step, from 0. */
import type { SftSettings } from '../../contract/settings.ts';

/** Hugging Face `get_cosine_schedule_with_warmup` (half a cosine): the factor of the learning rate. */
export function cosineWithWarmup(step: number, warmupSteps: number, totalSteps: number): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** torch `CosineAnnealingLR` in closed form: the learning rate itself. */
export function cosineAnnealing(step: number, learningRate: number, minimum: number, period: number): number {
  return minimum + ((learningRate - minimum) * (1 + Math.cos((Math.PI * step) / period))) / 2;
}

/** Pretraining: linear warm-up times a cosine over all steps down to `finalShare`. The first step is already warm by 1/n. */
export function pretrainSchedule(step: number, warmupSteps: number, totalSteps: number, finalShare: number): number {
  const warmup = Math.min(1, (step + 1) / Math.max(1, warmupSteps));
  const cosine = 0.5 * (1 + Math.cos((Math.PI * step) / totalSteps));
  return warmup * (finalShare + (1 - finalShare) * cosine);
}

/**
 * SFT: constant or cosine to 0 over all steps, after a linear warm-up whose first step is already warm by 1/n; or as
 * Hugging Face has it.
 */
export function sftSchedule(
  step: number,
  schedule: SftSettings['schedule'],
  warmupSteps: number,
  totalSteps: number,
): number {
  if (schedule === 'cosineWithWarmup') return cosineWithWarmup(step, warmupSteps, totalSteps);
  const warmup = Math.min(1, (step + 1) / Math.max(1, warmupSteps));
  return warmup * (schedule === 'constant' ? 1 : 0.5 * (1 + Math.cos((Math.PI * step) / totalSteps)));
}

/** PPO's policy: 1 while only the critic learns, then linearly towards 0, held at a tenth. */
export function ppoSchedule(iteration: number, criticWarmupIterations: number, iterations: number): number {
  const decaying = Math.max(0, iteration - criticWarmupIterations);
  return Math.max(0.1, 1 - decaying / Math.max(1, iterations - criticWarmupIterations));
}
