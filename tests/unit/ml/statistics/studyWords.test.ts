import { describe, expect, it } from 'vitest';
import { studyResultSchema } from '../../../../main/contract/studyResult.ts';
import { acrossSeeds } from '../../../../main/ml/statistics/acrossSeeds.ts';
import { studyWords } from '../../../../main/ml/statistics/studyWords.ts';
import { miniaturePlan, syntheticSeed, type Plan } from './syntheticSeed.ts';

const first = syntheticSeed(miniaturePlan);
const across = studyResultSchema.shape.across;
const words = (...plans: Plan[]): string => studyWords({ seeds: plans.map(syntheticSeed) }).join('\n');

describe('the words of one seed', () => {
  const text = studyWords({ seeds: [first] }).join('\n');

  it('attribute the recovery to the anchor, by a comparison of the arms', () => {
    expect(text).toContain('In this run the recovery comes with the anchor');
    expect(text).toContain('PPO + KL anchor to base ends above plain PPO by');
    expect(text).toMatch(/plain PPO from SFT_End: .* not distinguishable from SFT_End as a gain/);
    expect(text).toContain('The anchor recovers without any reward');
    expect(text).toContain('with reward in-distribution accuracy is higher');
    expect(text).toContain('Weight interpolation recovers OOD accuracy without any training');
  });

  it('say what is supported, and what does not reproduce', () => {
    expect(text).toMatch(/In this run the tests support these claims: SFT forgets out of distribution/);
    expect(text).toMatch(/In this run these claims are not reproduced: plain PPO recovers what SFT forgot/);
    expect(text).toMatch(/Not contradicted by a test, which proves nothing: reverting singular values/);
  });

  it('say what the intervals cover', () => {
    expect(text).toMatch(/paired bootstraps .* over the 300 reporting episodes; .* They do not cover training seeds/);
    expect(text).toMatch(/on the reporting half \(95 %, episodes: /);
    expect(text).toMatch(/\(90 %, episodes: \+[\d.]+ to \+[\d.]+; p < 0.001\)/);
  });

  it('hold no number that is not one', () => expect(text).not.toMatch(/NaN|Infinity|undefined|null/));
});

describe('the words of the comparison of remedies', () => {
  const compared: Plan = {
    ...miniaturePlan,
    rl: miniaturePlan.rl!.slice(0, 3),
    ablations: [],
    penalisedSft: [[20, 0.4, 0.66], [200, 0.24, 0.75]],
  }; // prettier-ignore
  it('set each remedy beside SFT_End and the others, with intervals', () => {
    const text = words(compared);
    expect(text).toMatch(/Stopping SFT at the peak instead of SFT_End changes OOD accuracy by \+\d/);
    expect(text).toMatch(/The penalty on rotation changes OOD accuracy at SFT_End by \+1\d\.\d points \(/);
    expect(text).toMatch(/Its OOD accuracy against stopping at the peak is different by -\d/);
    expect(text).toMatch(/Against PPO with the KL anchor it is different by -/);
    expect(text).not.toMatch(/NaN|undefined|Reverting/);
  });
  it('over seeds too; and nothing of it in the miniature', () => {
    expect(words(compared, { ...compared, seed: 1 })).toContain('The penalty on rotation changes OOD accuracy');
    expect(words(miniaturePlan)).not.toContain('penalty');
  });
});

describe('the words when things are otherwise', () => {
  const withRl = (rl: Plan['rl']): Plan => ({ ...miniaturePlan, rl });

  it('plain PPO that recovers is said to', () => {
    const text = words(withRl([['ppoPlain', 200, 0.35, 0.76]]));
    expect(text).toContain('plain PPO recovers OOD accuracy by itself');
    expect(text).toMatch(/the tests support these claims: .*plain PPO recovers/);
    expect(text).not.toContain('comes with the anchor');
  });

  it('no attribution without plain PPO beside it', () => {
    const text = words(withRl([['ppoAnchor', 200, 0.35, 0.76]]));
    expect(text).toContain('cannot be attributed');
    expect(text).not.toContain('comes with the anchor');
  });

  it('no attribution when the arms are not separated from each other', () => {
    // both gain a little; only one of them enough to be separated from its start
    const text = words(withRl([['ppoAnchor', 200, 0.15, 0.76], ['ppoPlain', 200, 0.125, 0.76]])); // prettier-ignore
    expect(text).not.toContain('comes with the anchor');
  });

  it('no recovery at all is said too', () => {
    const text = words({ ...withRl([['ppoPlain', 200, 0.09, 0.75], ['ppoAnchor', 200, 0.1, 0.75]]), ablations: [] }); // prettier-ignore
    expect(text).toContain("no arm's recovery from SFT_End is separated");
  });

  it('three controls are too few for a claim beyond controls', () => {
    const ablations = miniaturePlan.ablations!.filter(({ replicate }) => (replicate ?? 0) < 3);
    const text = words({ ...miniaturePlan, ablations });
    expect(text).toContain('Its controls are too few for a test (3 norm-matched scrambled controls');
    expect(text).not.toContain('beyond norm-matched controls');
  });

  it('nothing evaluated yet', () => {
    expect(studyWords({ seeds: [] })).toEqual([
      'No seed has been trained and evaluated up to SFT_End yet; there is nothing to say.',
    ]);
    const unfinished = { ...first, seed: 1, verdicts: null };
    expect(studyWords({ seeds: [first, unfinished] })[0]).toBe('1 of 2 seeds have been evaluated so far.');
  });
});

describe('several seeds', () => {
  const plans = [0, 1, 2].map((seed) => ({ ...miniaturePlan, seed }));
  const seeds = plans.map(syntheticSeed);

  it('rows have each seed, the mean, and an interval over seeds and episodes', () => {
    const result = acrossSeeds(seeds);
    expect(() => across.parse(result)).not.toThrow();
    const fall = result!.rows.find(({ name }) => name === 'Fall of OOD accuracy, peak to SFT_End')!;
    expect(fall.perSeed.length).toBe(3);
    expect(fall.mean).toBeCloseTo(fall.perSeed.reduce((a, b) => a + b, 0) / 3, 12);
    expect(fall.interval!.low).toBeGreaterThan(0.2);
    expect(fall.interval!.covers).toBe('95 % bootstrap over 3 seeds x 300 episodes');
    expect(new Set(result!.rows.map(({ name }) => name)).size).toBe(result!.rows.length);
  });

  it('a single seed has rows without an interval over seeds; none has no rows', () => {
    expect(acrossSeeds(seeds.slice(0, 1))!.rows.every(({ interval }) => interval === null)).toBe(true);
    expect(acrossSeeds([])).toBeNull();
  });

  it('the interval over seeds is the headline, tests per seed are counted', () => {
    const text = studyWords({ seeds }).join('\n');
    expect(text).toContain('Over 3 seeds OOD accuracy peaks at steps');
    expect(text).toMatch(
      /From the peak to SFT_End OOD accuracy falls by .*95 %, seeds and episodes.*separated in 3 of 3 seeds/,
    );
    expect(text).toContain('Over these 3 seeds the recovery comes with the anchor');
    expect(text).toMatch(/Reverting the singular vectors .* more than the norm-matched controls in \d of 3 seeds/);
    expect(text).toMatch(/Scaled to the norm of the vector reversion \(dose\) it changes it by/);
    expect(text).toContain('with so few seeds they are rough');
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  it('a gain in one seed of three is not called separated', () => {
    const mixed = plans.map((plan, i): Plan => ({ ...plan, rl: [['ppoPlain', 200, i === 0 ? 0.4 : 0.1, 0.75]] }));
    const text = words(...mixed);
    expect(text).toMatch(
      /From SFT_End, plain PPO changes OOD accuracy by .*, not separated from 0; a gain is separated in 1 of 3 seeds/,
    );
  });
});
