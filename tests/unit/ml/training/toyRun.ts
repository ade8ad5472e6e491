/** Settings, model and requests of runs that take a second. */
import type { Compute } from '../../../../main/compute/compute.ts';
import {
  type PretrainSettings,
  type RlArm,
  type RlSettings,
  type SftSettings,
  modelSettingsSchema,
  pretrainSettingsSchema,
  rlSettingsSchema,
  sftSettingsSchema,
} from '../../../../main/contract/settings.ts';
import { type ModelConfig, modelConfigFromSettings } from '../../../../main/ml/model/modelConfig.ts';
import { type WeightMap, initWeights } from '../../../../main/ml/model/weights.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import type { PpoRequest } from '../../../../main/ml/training/ppo.ts';
import type { TrainingRequest } from '../../../../main/ml/training/trainingRun.ts';
import { toyTask } from './toyTask.ts';

export const seed = 7;

export const toyConfig: ModelConfig = modelConfigFromSettings(
  modelSettingsSchema.parse({
    hiddenSize: 16,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: 2,
    intermediateSize: 24,
  }),
  toyTask,
);

export const toyWeights = (): WeightMap => initWeights(toyConfig, new Philox(seed, 'toy weights'));

export const toyPretrain: PretrainSettings = pretrainSettingsSchema.parse({ steps: 20, batchSize: 8, warmupSteps: 5 });

export const toySft: SftSettings = sftSettingsSchema.parse({
  examples: 40,
  batchSize: 8,
  steps: 20,
  learningRate: 1e-2,
  checkpoints: [0, 10, 20],
});

export const toyRl: RlSettings = rlSettingsSchema.parse({
  iterations: 8,
  rolloutSize: 12,
  minibatchSize: 8,
  criticWarmupIterations: 3,
  learningRate: 1e-2,
  evaluateEvery: 4,
});

export function toyRequest<Settings>(compute: Compute, settings: Settings): TrainingRequest<Settings> {
  return { compute, config: toyConfig, weights: toyWeights(), task: toyTask, settings, seed };
}

export function toyPpo(compute: Compute, arm: RlArm, settings: RlSettings = toyRl): PpoRequest {
  const referenceWeights = initWeights(toyConfig, new Philox(seed, 'toy reference'));
  return { ...toyRequest(compute, settings), arm, referenceWeights };
}
