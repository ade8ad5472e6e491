import { describe, expect, it } from 'vitest';
import { pairedEpisodesNeeded } from '../../../../../main/contract/episodesNeeded.ts';
import { undecided } from '../../../../../renderer/features/study/undecided.ts';
import { miniaturePlan, syntheticSeed } from '../../../ml/statistics/syntheticSeed.ts';
import { seedResult } from '../../studySample.ts';

describe('differences that are not separated', () => {
  const seed = syntheticSeed(miniaturePlan);
  const rows = undecided(seed);
  const row = (label: string) => rows.find((one) => one.label === label);

  it('are those that the verdicts call so, and no others', () => {
    const { recovery, reversions, forgetting } = seed.verdicts!;
    const plain = recovery.find(({ arm }) => arm === 'ppoPlain')!;
    expect(plain.ood.separated).toBe(false);
    expect(row('RL (plain PPO) against SFT_End, OOD')!.difference).toEqual(plain.ood);
    expect(forgetting.tested.toEnd.separated).toBe(true);
    expect(row('SFT peak against SFT_End, OOD')).toBeUndefined();
    const tested = [
      ...Object.values(forgetting.tested),
      ...recovery.filter(({ arm }) => arm !== 'interpolation').flatMap(({ ood, inDist, againstPeak }) => [ood, inDist, againstPeak]), // prettier-ignore
      ...reversions.flatMap(({ ood, inDist }) => [ood, inDist]),
    ];
    expect(rows).toHaveLength(tested.filter(({ separated }) => !separated).length);
  });

  it('would need what the formula says of the reporting half, the fewest first', () => {
    const end = seed.sft.find(({ step }) => step === seed.endStep)!.evaluation.ood.outcomes;
    const after = seed.rl.find(({ arm }) => arm === 'ppoPlain')!.checkpoints.at(-1)!.evaluation.ood.outcomes;
    const n = end.length / 2;
    const report = [...after].slice(n).map((outcome, i) => Number(outcome) - Number(end[n + i]));
    const share = (wanted: number): number => report.filter((x) => x === wanted).length / n;
    const { needed, episodes, difference } = row('RL (plain PPO) against SFT_End, OOD')!;
    expect(episodes).toBe(n);
    expect(difference.difference).toBeCloseTo(share(1) - share(-1), 12);
    expect(needed).toBe(pairedEpisodesNeeded(share(1) - share(-1), share(1) + share(-1)));
    // with fewer it was not separated
    expect(needed).toBeGreaterThan(episodes);
    expect(rows.map((one) => one.needed)).toEqual(rows.map((one) => one.needed).sort((a, b) => a - b));
  });

  it('that point against a claim are told two-sided', () => {
    const turned = structuredClone(seed);
    const plain = turned.rl.find(({ arm }) => arm === 'ppoPlain')!.checkpoints.at(-1)!.evaluation.ood;
    const end = turned.sft.find(({ step }) => step === seed.endStep)!.evaluation.ood;
    [plain.outcomes, end.outcomes] = [end.outcomes, plain.outcomes];
    const needed = (rows: typeof before) => rows.find(({ label }) => label.startsWith('RL (plain PPO) against SFT_End, OOD'))!.needed; // prettier-ignore
    const before = undecided(seed);
    expect(needed(undecided(turned))).toBeGreaterThan(1.2 * needed(before));
  });

  it('are none before the verdicts, and none where episodes are not known one by one', () => {
    expect(undecided({ ...seed, verdicts: null })).toEqual([]);
    expect(undecided({ ...seedResult(0), verdicts: seed.verdicts })).toEqual([]);
  });
});
