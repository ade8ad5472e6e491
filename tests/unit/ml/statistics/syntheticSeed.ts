/** A whole seed result with seeded outcomes: each checkpoint right with the probability that a test wants. */
import type { Evaluation, SplitScore } from '../../../../main/contract/evaluation.ts';
import type { RlArm } from '../../../../main/contract/settings.ts';
import type { AblationPoint, SeedResult } from '../../../../main/contract/studyResult.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { studyVerdicts } from '../../../../main/ml/statistics/verdicts.ts';

const EPISODES = 600;

export interface Plan {
  seed?: number;
  /** [step, OOD, ID, ID test loss] */
  sft: [step: number, ood: number, inDist: number, loss: number][];
  endStep: number;
  /** [step, OOD, ID] of SFT with the rotation penalty. */
  penalisedSft?: [step: number, ood: number, inDist: number][];
  /** [arm, start, OOD, ID] at the last iteration. */
  rl?: [arm: RlArm, start: number, ood: number, inDist: number][];
  ablations?: (Pick<AblationPoint, 'stage' | 'edit'> & Partial<AblationPoint> & { ood: number; inDist: number })[];
}

/** Each episode has a difficulty, shared by all checkpoints: an episode is right when it is easy enough. */
function split(name: 'inDist' | 'ood', probability: number, loss: number, key: string): SplitScore {
  const difficulty = new Philox('difficulty', name);
  const noise = new Philox('chance', name, key);
  // mostly the episode's own difficulty, a little chance: paired outcomes are correlated as real ones are
  const outcomes = Array.from({ length: EPISODES }, () => {
    const own = difficulty.uniform();
    const chance = noise.uniform();
    return (noise.uniform() < 0.8 ? own : chance) < probability ? '1' : '0';
  }).join('');
  const correct = [...outcomes].filter((outcome) => outcome === '1').length;
  const losses = { loss, formatLoss: 0, numberLoss: 0, formulaLoss: loss };
  const counts = { n: EPISODES, correct, formatOk: EPISODES, numberOk: correct, forcedCorrect: correct, ruleSlips: 0 };
  return { ...counts, outcomes, forcedOutcomes: outcomes, ...losses };
}

function evaluation(ood: number, inDist: number, loss: number, key: string): Evaluation {
  return { inDist: split('inDist', inDist, loss, key), ood: split('ood', ood, 2 * loss, key) };
}

export function syntheticSeed({
  seed = 0,
  sft,
  penalisedSft = [],
  endStep,
  rl = [],
  ablations = [],
}: Plan): SeedResult {
  const at = new Map(
    sft.map(([step, ood, inDist, loss]) => [step, evaluation(ood, inDist, loss, `${seed} sft ${step}`)]),
  );
  const facts: SeedResult = {
    seed,
    sft: [...at].map(([step, value]) => ({ step, evaluation: value })),
    penalisedSft: penalisedSft.map(([step, ood, inDist]) => {
      return { step, evaluation: evaluation(ood, inDist, 0.1, `${seed} penalised ${step}`) };
    }),
    peakStep: null,
    endStep,
    trainingData: null,
    mainArm: 'ppoAnchor',
    rl: rl.map(([arm, startStep, ood, inDist]) => ({
      arm,
      startStep,
      checkpoints: [
        { iteration: 0, evaluation: at.get(startStep)! },
        { iteration: 40, evaluation: evaluation(ood, inDist, 0.1, `${seed} ${arm} ${startStep}`) },
      ],
    })),
    ablations: ablations.map(({ ood, inDist, ...point }, i) => ({
      reference: point.stage === 'sft' ? 'peak' : 'end',
      target: point.stage === 'sft' ? 'end' : 'rlEnd',
      changeNorm: 1,
      relativeChange: 0.02,
      orthogonalityDefect: 0,
      effectiveRank: 32,
      negativeSingularValues: 0,
      ...point,
      evaluation: evaluation(ood, inDist, 0.1, `${seed} ablation ${i}`),
    })),
    spectra: [],
    verdicts: null,
  };
  return { ...facts, verdicts: studyVerdicts(facts) };
}

/** The shape of the miniature: early peak, forgetting, recovery with the anchor and not with plain PPO. */
export const miniaturePlan: Plan = {
  sft: [
    [0, 0, 0, 0.51],
    [10, 0.02, 0.1, 0.25],
    [20, 0.4, 0.66, 0.104],
    [30, 0.395, 0.66, 0.101],
    [50, 0.33, 0.7, 0.096],
    [75, 0.33, 0.7, 0.094],
    [100, 0.25, 0.72, 0.093],
    [200, 0.1, 0.75, 0.089],
    [300, 0.03, 0.76, 0.087],
    [500, 0.01, 0.8, 0.085],
  ],
  endStep: 200,
  rl: [
    ['ppoAnchor', 200, 0.32, 0.76],
    ['ppoPlain', 200, 0.11, 0.76],
    ['anchorOnly', 200, 0.38, 0.63],
    ['ppoAnchor', 0, 0, 0],
    ['ppoAnchor', 100, 0.38, 0.72],
    ['ppoAnchor', 500, 0.1, 0.79],
  ],
  ablations: [
    { stage: 'sft', edit: 'singularValues', ood: 0.1, inDist: 0.75 },
    { stage: 'sft', edit: 'singularVectors', ood: 0.26, inDist: 0.73 },
    { stage: 'sft', edit: 'both', ood: 0.27, inDist: 0.73 },
    { stage: 'sft', edit: 'singularValues', control: 'dose', scale: 8, ood: 0.12, inDist: 0.7 },
    ...Array.from({ length: 19 }, (_, replicate) => ({
      stage: 'sft' as const,
      edit: 'singularVectors' as const,
      control: 'scrambled' as const,
      replicate,
      ood: 0.09 + 0.001 * replicate,
      inDist: 0.74,
    })),
    { stage: 'sft', edit: 'interpolation', alpha: 0.25, ood: 0.15, inDist: 0.75 },
    { stage: 'sft', edit: 'interpolation', alpha: 0.75, ood: 0.35, inDist: 0.7 },
  ],
};
