/** Expected durations of stages on two cores with native TensorFlow, seconds; only their ratios matter for progress. */
import { studySettingsSchema } from '../contract/settings.ts';
import type { ModelSettings, StudySettings } from '../contract/settings.ts';

/** Tokens of the miniature GeneralPoints task; Navigation has 48. For estimates. */
const vocabularySize = 62;

/** Parameters of the decoder: embedding (tied), attention with grouped keys and values, gated MLP, norms. */
export function parameterCount(model: ModelSettings): number {
  const { hiddenSize: d, numHiddenLayers, numAttentionHeads, numKeyValueHeads, intermediateSize } = model;
  const keyValue = (d / numAttentionHeads) * numKeyValueHeads;
  return vocabularySize * d + d + numHiddenLayers * (2 * d * d + 2 * d * keyValue + 3 * d * intermediateSize + 2 * d);
}

export function stageWeights(settings: StudySettings) {
  return settings.base === null ? miniatureWeights(settings) : textWeights(settings, settings.base.parameters);
}

/** From a measured run; a worker's start is about 4 s. */
function miniatureWeights(settings: StudySettings) {
  const { model, pretrain, sft, rl, task, ablation } = settings;
  const defaults = studySettingsSchema.parse({});
  const size = parameterCount(model) / parameterCount(defaults.model);
  const evaluation = 0.55 * size * (task.evaluationEpisodes / defaults.task.evaluationEpisodes);
  const token = size * 4e-4;
  const points = 6 + 4 + 3 * ablation.interpolationAlphas.length + 4 * ablation.controlReplicates;
  const iterations = rl.iterations * rl.rolloutSize * (rl.updateEpochs + 2);
  return {
    pretrain: 4 + pretrain.steps * pretrain.batchSize * token,
    sft: 4 + sft.steps * sft.batchSize * token + sft.checkpoints.length * evaluation,
    rl: 4 + iterations * token + (rl.iterations / rl.evaluateEvery + 1) * evaluation,
    decompose: size,
    ablate: 4 + points * evaluation,
    analyse: 1,
  };
}

/** Floating-point operations a second that the weights of studies on a checkpoint are for; measured on two cores. */
export const assumedProductsPerSecond = 3e11;
/** A worker's start, and TensorFlow's first run of each shape of a batch. */
const firstRuns = 20;
/** Of GeneralPoints and Qwen's tokenizer; the other tasks are near it. */
const promptTokens = 300;
const answerTokens = 100;
/** A generated token costs more than one that is read: its products are thin. */
const generatedCost = 3;
const trainedCost = 3;

/** From the floating-point operations of the model's products, 2 a parameter and token. */
function textWeights({ sft, rl, task }: StudySettings, parameters: number | null) {
  const perToken = (2 * (parameters ?? 1e9)) / assumedProductsPerSecond;
  const answered = promptTokens + generatedCost * answerTokens;
  const read = promptTokens + answerTokens;
  const { attempts, samples } = task.text;
  const dialogues = attempts + (samples > 1 ? samples : 0);
  const evaluation = 2 * task.evaluationEpisodes * perToken * (dialogues * answered + 2 * read);
  const { iterations, rolloutSize, updateEpochs, evaluateEvery } = rl.text;
  const rollout = rolloutSize * perToken * (answered + read + updateEpochs * trainedCost * read);
  return {
    pretrain: 0,
    sft: firstRuns + sft.steps * sft.batchSize * trainedCost * read * perToken + sft.checkpoints.length * evaluation,
    rl: firstRuns + iterations * rollout + (iterations / evaluateEvery + 1) * evaluation,
    decompose: 0,
    ablate: 0,
    analyse: 1,
  };
}
