/** Studies cut down for tests: real job kinds, little work. */
import type { StudySettingsInput } from '../../main/contract/settings.ts';

/** Runs for minutes, so that something can be seen running, cancelled, interrupted. */
export const settingsOfLongStudy: StudySettingsInput = { name: 'Long study' };

/** Every stage of the protocol once through, in seconds. Its numbers say nothing. */
export const settingsOfTinyStudy: StudySettingsInput = {
  name: 'Tiny study',
  task: { evaluationEpisodes: 8 },
  model: { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, numKeyValueHeads: 1, intermediateSize: 24 },
  pretrain: { steps: 12, batchSize: 8, warmupSteps: 2 },
  sft: { examples: 64, batchSize: 8, steps: 12, checkpoints: [0, 4, 8, 12], endStep: 8 },
  rl: {
    iterations: 2,
    rolloutSize: 8,
    minibatchSize: 8,
    criticWarmupIterations: 1,
    evaluateEvery: 1,
    starts: [8],
    controlArms: [],
  },
  ablation: { controlReplicates: 2, interpolationAlphas: [0.5], angleNullDraws: 2 },
};
