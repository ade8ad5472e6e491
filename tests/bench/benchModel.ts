/** The model that a bench measures: a small Llama of given sizes with random weights. */
import type { Compute } from '../../main/compute/compute.ts';
import { plainFeatures } from '../../main/ml/model/families/family.ts';
import { LanguageModel } from '../../main/ml/model/languageModel.ts';
import type { ModelConfig } from '../../main/ml/model/modelConfig.ts';
import { initWeights } from '../../main/ml/model/weights.ts';
import type { Philox } from '../../main/ml/random/philox.ts';

export interface ModelSizes {
  hidden: number;
  layers: number;
  heads: number;
  kvHeads: number;
  mlp: number;
  vocabulary: number;
}

export function benchModel(compute: Compute, sizes: ModelSizes, random: Philox): LanguageModel {
  const config: ModelConfig = {
    modelType: 'llama',
    naming: 'hub',
    vocabSize: sizes.vocabulary,
    hiddenSize: sizes.hidden,
    intermediateSize: sizes.mlp,
    numHiddenLayers: sizes.layers,
    numAttentionHeads: sizes.heads,
    numKeyValueHeads: sizes.kvHeads,
    headDim: sizes.hidden / sizes.heads,
    rmsNormEps: 1e-6,
    ropeTheta: 10000,
    ropeScaling: null,
    maxPositionEmbeddings: 2048,
    tieWordEmbeddings: true,
    ...plainFeatures,
    bosTokenId: 1,
    eosTokenId: 2,
    padTokenId: 0,
  };
  return new LanguageModel(compute, config, initWeights(config, random));
}
