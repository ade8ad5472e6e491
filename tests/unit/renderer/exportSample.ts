/** Every figure of the sample of a study, as the gallery lists them. */
import type { Comparison } from '../../../main/contract/studyResult.ts';
import { spectralFigures } from '../../../renderer/features/study/spectralFigures.ts';
import { studyFigures } from '../../../renderer/features/study/studyFigures.ts';
import type { NamedFigure } from '../../../renderer/figures/figure.ts';
import { matrixComparison, seedResult, studyResult } from './studySample.ts';

/** What RL and SFT have logged, by stage and step. */
export const scalars = new Map<string, Map<number, Record<string, number>>>(
  ['rl-ppoAnchor-200', 'rl-ppoAnchor-0', 'pretrain', 'sft'].map((stage) => [
    `seed-0.${stage}`,
    new Map(
      [1, 2, 3, 4].map((step) => {
        const logged = { reward: step / 10 - 0.3, successRate: step / 20, policyLoss: 1 / step, valueLoss: 2 / step };
        return [step, { ...logged, entropy: 0.1, loss: 3 / step, learningRate: 1e-4, gradNormLayer0: step }];
      }),
    ),
  ]),
);

const matrices = (['q', 'k', 'v'] as const).map((matrix) =>
  matrixComparison({ matrix, weight: `model.layers.0.self_attn.${matrix}_proj.weight` }),
);
export const comparisons: Comparison[] = [
  { reference: 'base', target: 'end', matrices },
  { reference: 'base', target: 'rlEnd', matrices },
];

export function sampleFigures(preset: 'miniature' | 'comparison' = 'miniature'): NamedFigure[] {
  const { ablations, ...sample } = seedResult(0);
  // Every step of the answer wrong in another number of episodes, so that none can stand in for another.
  const sft = sample.sft.map(({ step, evaluation }) => ({
    step,
    evaluation: {
      ...evaluation,
      inDist: { ...evaluation.inDist, formatOk: 98, numberOk: 91, correct: Math.min(85, evaluation.inDist.correct) },
      ood: { ...evaluation.ood, formatOk: 97, numberOk: 60, ruleSlips: 5 },
    },
  }));
  const ofRl = ablations
    .filter(({ edit }) => edit !== 'interpolation')
    .map((one) => ({ ...one, stage: 'rl' as const }));
  const seed = {
    ...sample,
    sft,
    ablations: [...ablations, ...ofRl],
    penalisedSft: preset === 'comparison' ? sft : [],
  };
  const choice = { spectrumPair: '', spectrumMatrix: 'k', spectrumLayer: 0, heatmapQuantity: 'relativeChange' };
  return [
    ...studyFigures({ preset, attempts: null, result: studyResult([seed]), scalars, seed: 0 }),
    ...spectralFigures(comparisons, choice, ''),
  ];
}
