/** A small study result, by hand, that satisfies the contract: what the chart tests draw. */
import type { Evaluation, SplitScore } from '../../../main/contract/evaluation.ts';
import type { RlArm } from '../../../main/contract/settings.ts';
import {
  studyResultSchema,
  type AblationPoint,
  type MatrixComparison,
  type SeedResult,
  type StudyResult,
} from '../../../main/contract/studyResult.ts';

export const episodes = 100;

function score(correct: number, loss: number): SplitScore {
  return {
    n: episodes,
    correct,
    formatOk: episodes,
    numberOk: episodes,
    forcedCorrect: correct,
    ruleSlips: 0,
    outcomes: '',
    forcedOutcomes: '',
    loss,
    formatLoss: loss / 10,
    numberLoss: loss / 2,
    formulaLoss: loss,
  };
}

/** Of a task in text: k = 2 attempts; pass@1..3; the mass at one position. */
export function evaluatedText(inDist: number, ood: number): Evaluation {
  const { trainLoss, ...evaluation } = evaluated(inDist, ood);
  const answers = (correct: number): SplitScore['answers'] => ({
    ...{ cardOk: 90, formulaOk: 80, strict: 95, ended: 99, meanReward: correct / episodes - 0.5 },
    passAtK: [correct / episodes, 0.6, 0.7],
    mass: { positions: 1, any: 0.4, reference: 0.1 },
  });
  return {
    trainLoss,
    inDist: { ...evaluation.inDist, answers: answers(inDist) },
    ood: { ...evaluation.ood, answers: answers(ood) },
    text: {
      attempts: 2,
      decoding: { mode: 'sample', temperature: 0.2, topP: 1 },
      maxNewTokens: 64,
      seed: 999,
    },
  };
}

/** `seedResult` as a study of a checkpoint: plain PPO from every start, the anchored arm beside it. */
export function textSeedResult(seed: number): SeedResult {
  const { sft, rl, ...rest } = seedResult(seed);
  const inText = ({ inDist, ood }: Evaluation): Evaluation => evaluatedText(inDist.correct, ood.correct);
  const other: Record<RlArm, RlArm> = { ppoAnchor: 'ppoPlain', ppoPlain: 'ppoAnchor', anchorOnly: 'anchorOnly' };
  return {
    ...rest,
    sft: sft.map(({ step, evaluation }) => ({ step, evaluation: inText(evaluation) })),
    mainArm: 'ppoPlain',
    rl: rl
      .filter(({ arm }) => arm !== 'anchorOnly')
      .map((one) => ({
        ...one,
        arm: other[one.arm],
        checkpoints: one.checkpoints.map(({ iteration, evaluation }) => ({
          iteration,
          evaluation: inText(evaluation),
        })),
      })),
  };
}

/** Right answers of 100, ID and OOD. */
export const evaluated = (inDist: number, ood: number, loss = 0.2): Evaluation => ({
  inDist: score(inDist, loss),
  ood: score(ood, 2 * loss),
  trainLoss: loss,
});

function run(arm: RlArm, startStep: number, ...points: [number, number][]): SeedResult['rl'][number] {
  return {
    arm,
    startStep,
    checkpoints: points.map(([inDist, ood], index) => ({ iteration: 10 * index, evaluation: evaluated(inDist, ood) })),
    startRewardShare: points[0]![0] / episodes,
    startEntropy: 0.1,
  };
}

export function point(edit: AblationPoint['edit'], ood: number, more: Partial<AblationPoint> = {}): AblationPoint {
  return {
    stage: 'sft',
    reference: 'peak',
    target: 'end',
    edit,
    changeNorm: 1,
    relativeChange: 0.02,
    orthogonalityDefect: 0,
    effectiveRank: 4,
    negativeSingularValues: 0,
    evaluation: evaluated(70, ood),
    ...more,
  };
}

/** Peak 40 at step 20, 10 at SFT_End (step 200), 2 at step 500; RL with anchor lifts SFT_End to 30. */
export function seedResult(seed: number): SeedResult {
  const steps: [number, number, number][] = [
    [0, 0, 0],
    [10, 10, 5],
    [20, 60, 40],
    [50, 68, 30],
    [200, 75, 10],
    [500, 80, 2],
  ];
  return {
    seed,
    sft: steps.map(([step, inDist, ood]) => ({ step, evaluation: evaluated(inDist, ood + seed) })),
    penalisedSft: [],
    peakStep: 20,
    endStep: 200,
    trainingData: null,
    mainArm: 'ppoAnchor',
    rl: [
      run('ppoAnchor', 200, [75, 10 + seed], [75, 20 + seed], [76, 30 + seed]),
      run('ppoPlain', 200, [75, 10 + seed], [77, 11 + seed]),
      run('anchorOnly', 200, [75, 10 + seed], [60, 35 + seed]),
      run('ppoAnchor', 500, [80, 2 + seed], [78, 6 + seed]),
      run('ppoAnchor', 20, [60, 40 + seed], [70, 42 + seed]),
    ],
    ablations: [
      point('singularValues', 11, { relativeChange: 0.002 }),
      point('singularVectors', 26),
      point('both', 27),
      point('singularValues', 12, { control: 'dose', scale: 10 }),
      point('singularVectors', 12, { control: 'dose', scale: 0.1, relativeChange: 0.002 }),
      ...[6, 8, 10].map((ood, replicate) => point('singularVectors', ood, { control: 'scrambled', replicate })),
      ...[0.25, 0.5, 0.75].map((alpha) => point('interpolation', 10 + 20 * alpha, { alpha })),
      point('interpolation', 20, { stage: 'rl', reference: 'end', target: 'rlEnd', alpha: 0.5 }),
    ],
    spectra: [],
    verdicts: null,
  };
}

export function studyResult(seeds: SeedResult[]): StudyResult {
  return studyResultSchema.parse({
    type: 'result',
    version: 1,
    study: { id: 's', name: 'Sample', preset: 'miniature', createdAt: '2026-01-01T00:00:00Z', settingsHash: 'x' },
    complete: true,
    provenance: {},
    seeds,
    across: null,
    words: [],
  });
}

/** k = 2 of W [4, 3]: no left angle is forced, one right angle is (2k - 3). */
export function matrixComparison(more: Partial<MatrixComparison> = {}): MatrixComparison {
  return {
    weight: 'model.layers.0.self_attn.q_proj.weight',
    layer: 0,
    matrix: 'q',
    shape: [4, 3],
    sReference: [3, 2, 1],
    sTarget: [3.1, 2, 0.8],
    deltaSigmaNull: [0.05, 0, -0.05],
    relativeChange: 0.02,
    angles: {
      rank: 2,
      leftRad: [0.1, 0.3],
      rightRad: [0, 0.2],
      leftForcedZeros: 0,
      rightForcedZeros: 1,
      leftNullRad: [0.4, 1.2],
      rightNullRad: [0, 1],
    },
    valueEnergyShare: 0.3,
    valueEnergyNull: 0.25,
    smallestRelativeGap: 0.3,
    svdResidual: 1e-7,
    ...more,
  };
}
