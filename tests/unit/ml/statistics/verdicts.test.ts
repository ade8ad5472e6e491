import { describe, expect, it } from 'vitest';
import { verdictsSchema } from '../../../../main/contract/studyResult.ts';
import { halfOf } from '../../../../main/ml/statistics/halves.ts';
import { controlPValue } from '../../../../main/ml/statistics/reversionVerdicts.ts';
import { bestInterpolation, selectPeakStep } from '../../../../main/ml/statistics/studyFacts.ts';
import { mannKendall } from '../../../../main/ml/statistics/trend.ts';
import { studyVerdicts } from '../../../../main/ml/statistics/verdicts.ts';
import { miniaturePlan, syntheticSeed, type Plan } from './syntheticSeed.ts';

const seed = syntheticSeed(miniaturePlan);

describe('verdicts of a seed like the miniature', () => {
  const verdicts = seed.verdicts!;

  it('have the shape of the contract', () => expect(() => verdictsSchema.parse(verdicts)).not.toThrow());

  it('pick the peak on the selection half and report the other one', () => {
    const { outcomes } = seed.sft.find(({ step }) => step === 20)!.evaluation.ood;
    const share = (text: string): number => [...text].filter((c) => c === '1').length / text.length;
    expect(selectPeakStep(seed)).toBe(20);
    expect(verdicts.peak.point).toMatchObject({
      step: 20,
      selectAccuracy: share(outcomes.slice(0, 300)),
      reportAccuracy: share(outcomes.slice(300)),
    });
    expect(verdicts.peak.tested.peakSet).toContain(20);
    expect(verdicts.peak.tested.peakSet).toContain(30);
    expect(verdicts.peak.tested.peakSet).not.toContain(200);
  });

  it('say that there is no peak when no OOD episode was answered right', () => {
    const none = (outcomes: string): string => '0'.repeat(outcomes.length);
    const sft = seed.sft.map(({ step, evaluation }) => {
      const ood = { ...evaluation.ood, correct: 0, outcomes: none(evaluation.ood.outcomes) };
      return { step, evaluation: { ...evaluation, ood } };
    });
    const { peak } = studyVerdicts({ ...seed, sft, peakStep: 0, rl: [], ablations: [] })!;
    expect(peak.words).toContain('there is no peak');
    expect(verdicts.peak.words).toContain('OOD accuracy peaks at step 20');
  });

  it('find the forgetting while the in-distribution loss falls, without overfitting', () => {
    // 0.4 against 0.33 at 50 and 75 may or may not be separated, against 0.25 at 100 it is
    expect([50, 75, 100]).toContain(verdicts.forgettingOnset.tested);
    expect(verdicts.forgetting.tested.toEnd).toMatchObject({ separated: true });
    expect(verdicts.forgetting.point.toEnd).toBeCloseTo(0.3, 1);
    expect(verdicts.inDistLossFell).toMatchObject({ point: true, tested: true });
    expect(verdicts.overfitting).toMatchObject({ point: false, tested: false });
  });

  it('attribute per arm: the anchor recovers, plain PPO does not', () => {
    const recovery = Object.fromEntries(verdicts.recovery.map((row) => [row.arm, row]));
    expect(recovery['ppoAnchor']!.ood.separated).toBe(true);
    expect(recovery['anchorOnly']!.ood.separated).toBe(true);
    expect(recovery['anchorOnly']!.inDist).toMatchObject({ separated: true });
    expect(recovery['ppoPlain']!.ood.separated).toBe(false);
    expect(recovery['ppoPlain']!.words).toContain('no recovery is separated; observed');
    expect(recovery['interpolation']!.words).toContain('alpha 0.75 towards the peak');
    expect(recovery['ppoAnchor']!.recoveryShare!.value).toBeGreaterThan(0.5);
  });

  it('test the window over the starts of the arm that has most', () => {
    expect(verdicts.recoveryWindow.tested.starts).toEqual([100, 200, 500]);
    expect(verdicts.recoveryWindow.point.starts).toEqual([100, 200, 500]);
    expect(verdicts.recoveryWindow.words).toContain('PPO + KL anchor to base');
  });

  it('hold reversions against their controls', () => {
    const [values, vectors, both] = verdicts.reversions;
    expect(values).toMatchObject({ edit: 'singularValues', controlPValue: null });
    expect(values!.ood.separated).toBe(false);
    expect(values!.words).toContain('Scaled to the norm of the vector reversion');
    expect(vectors).toMatchObject({ edit: 'singularVectors', controlPValue: 0.05 });
    expect(vectors!.ood.separated).toBe(true);
    expect(vectors!.controlRange![1]).toBeLessThan(vectors!.ood.difference);
    expect(vectors!.words).toContain('more than its controls');
    expect(both!.edit).toBe('both');
    expect(verdicts.reversions.length).toBe(3);
  });
});

describe('verdicts without an effect', () => {
  const flat: Plan = {
    sft: [0, 10, 20, 30, 40].map((step) => [step, 0.3, 0.7, 0.1 + 0.0001 * (step % 20)]),
    endStep: 30,
    rl: [
      ['ppoAnchor', 30, 0.3, 0.7],
      ['ppoPlain', 30, 0.3, 0.7],
    ],
    ablations: [{ stage: 'sft', edit: 'singularVectors', ood: 0.3, inDist: 0.7 }],
  };
  const verdicts = syntheticSeed(flat).verdicts!;

  it('claim nothing', () => {
    expect(verdicts.forgettingOnset).toMatchObject({ point: null, tested: null });
    expect(verdicts.forgetting.tested.toEnd.separated).toBe(false);
    expect(verdicts.forgetting.words).toMatch(/^No fall of OOD accuracy/);
    expect(verdicts.inDistLossFell.tested).toBe(false);
    expect(verdicts.overfitting.tested).toBe(false);
    expect(verdicts.recovery.map((row) => row.ood.separated)).toEqual([false, false]);
    expect(verdicts.recovery.map((row) => row.recoveryShare)).toEqual([null, null]);
    expect(verdicts.recoveryWindow.tested).toEqual({ starts: [], below: [] });
    expect(verdicts.reversions[0]!.ood.separated).toBe(false);
  });
});

describe('verdicts of an unfinished or overfitted seed', () => {
  it('wait for SFT_End, and do without RL and ablations', () => {
    const bare = syntheticSeed({ ...miniaturePlan, rl: [], ablations: [] });
    expect(studyVerdicts({ ...bare, sft: bare.sft.slice(0, 3) })).toBeNull();
    expect(studyVerdicts({ ...bare, sft: [] })).toBeNull();
    const { recovery, reversions, recoveryWindow } = bare.verdicts!;
    expect({ recovery, reversions, starts: recoveryWindow.point.starts }).toEqual({
      recovery: [],
      reversions: [],
      starts: [],
    });
  });

  it('see a loss that rises again', () => {
    const sft = miniaturePlan.sft.map(([step, ood, inDist], i): Plan['sft'][number] => [
      step,
      ood,
      inDist,
      0.1 + 0.01 * Math.abs(i - 4),
    ]);
    const { overfitting, inDistLossFell } = syntheticSeed({ sft, endStep: 200 }).verdicts!;
    expect(overfitting).toMatchObject({ point: true, tested: true });
    expect(overfitting.words).toContain('overfitting');
    expect(inDistLossFell.tested).toBe(false);
  });
});

describe('the parts', () => {
  it('halves are disjoint and cover the episodes; counts alone have no halves', () => {
    const score = { n: 5, correct: 3, outcomes: '10110' };
    expect(halfOf(score, 'select')).toEqual({ n: 2, correct: 1, outcomes: '10' });
    expect(halfOf(score, 'report')).toEqual({ n: 3, correct: 2, outcomes: '110' });
    expect(halfOf({ n: 5, correct: 3, outcomes: '' }, 'report')).toEqual({ n: 5, correct: 3 });
  });

  it('a control p-value counts replicates at least as far away, in either direction', () => {
    expect(controlPValue(0.2, new Array<number>(19).fill(0.1))).toBe(1 / 20);
    expect(controlPValue(0.2, [0.1, -0.2, 0.3])).toBe(3 / 4);
    expect(controlPValue(-0.2, [])).toBe(1);
  });

  it('Mann-Kendall is exact', () => {
    expect(mannKendall([4, 3, 2, 1])).toEqual({
      pFalling: expect.closeTo(1 / 24, 12) as number,
      pRising: expect.closeTo(1, 12) as number,
    });
    expect(mannKendall([1, 2, 4, 3]).pRising).toBeCloseTo(4 / 24, 12);
    expect(mannKendall([2, 2, 2])).toEqual({
      pFalling: expect.closeTo(1, 12) as number,
      pRising: expect.closeTo(1, 12) as number,
    });
    expect(mannKendall([])).toEqual({ pFalling: 1, pRising: 1 });
    const rising = Array.from({ length: 17 }, (_, i) => i);
    expect(mannKendall(rising).pRising).toBeLessThan(1e-13);
  });

  it('the best interpolation is chosen on the selection half', () => {
    expect(bestInterpolation(seed)!.alpha).toBe(0.75);
    expect(bestInterpolation({ ablations: [] })).toBeNull();
  });
});
