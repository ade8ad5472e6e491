import { describe, expect, it } from 'vitest';
import { sweepSettingsSchema } from '../../../../../main/contract/sweeps.ts';
import { controlTest, controlWords } from '../../../../../renderer/features/ablations/controlTest.ts';
import { episodesMoved, pointWords } from '../../../../../renderer/features/ablations/pointWords.ts';
import { isRankClipped, requestedRanks } from '../../../../../renderer/features/ablations/sweepPoints.ts';
import { own, sweepPoint } from '../../sweepSample.ts';

const settings = sweepSettingsSchema.parse({ sweep: { kind: 'reversion' } });
const fromTheEnd = sweepSettingsSchema.parse({ sweep: { kind: 'reversion', layerMode: 'last' } });
const ends = { target: 'SFT_End', reference: 'peak' };
const words = (more: Parameters<typeof sweepPoint>[2], of = settings) => pointWords(sweepPoint(0, 0, more), of, ends);

describe('an edit in words', () => {
  it.each([
    [{}, 'Singular vectors, all layers, all ranks'],
    [{ layers: [0, 1] }, 'Singular vectors, the first 2 layers, all ranks'],
    [{ layers: [4] }, 'Singular vectors, layer 4, all ranks'],
    [{ layers: [1, 4, 2] }, 'Singular vectors, layers 1, 2, 4, all ranks'],
    [{ layers: [3, 4] }, 'Singular vectors, layers 3–4, all ranks'],
    [{ ranks: { top: 16 } }, 'Singular vectors, all layers, the top 16 ranks'],
    [{ ranks: { band: [16, 32] } }, 'Singular vectors, all layers, ranks 17–32'],
    [{ ranks: { top: 1, bottom: 8 } }, 'Singular vectors, all layers, the top 1 rank and the bottom 8 ranks'],
    [{ edit: 'none', own: 'reference' }, 'peak, unedited'],
    [{ edit: 'interpolation', alpha: 0.25 }, 'Weights 25 % of the way from SFT_End to peak'],
    [{ control: 'dose' }, 'Singular vectors scaled to the size of the values (dose), all layers, all ranks'],
    [{ control: 'scrambled', replicate: 1 }, 'Scrambled control 2 of singular vectors, all layers, all ranks'],
  ] as const)('%j: %s', (more, text) => expect(words(more as never)).toBe(text));
  it('says "last" where the sweep counts from the end', () => {
    expect(words({ layers: [1, 2] }, fromTheEnd)).toBe('Singular vectors, the last 2 layers (1–2), all ranks');
  });
});

describe('an edit against its controls', () => {
  const [target] = own();
  const edit = sweepPoint(70, 30, {});
  const controls = (oods: number[]) => oods.map((ood) => sweepPoint(70, ood, { control: 'scrambled' }));

  it('p = (1 + controls that change as much) / (1 + replicates), on the size of the change', () => {
    expect(controlTest(edit, controls([9, 12, 10]), target!, 'ood')).toMatchObject({
      p: 0.25,
      leastP: 0.25,
      isBeyond: false,
    });
    // A control that loses as much as the edit gains counts; so does one that is equal.
    expect(controlTest(sweepPoint(70, 20, {}), controls([0, 20, 11]), target!, 'ood')!.p).toBe(0.75);
  });
  it('19 replicates can say "beyond", one of them as large takes it back', () => {
    const nineteen = Array.from({ length: 19 }, (_, index) => 8 + (index % 5));
    expect(controlTest(edit, controls(nineteen), target!, 'ood')).toMatchObject({ p: 0.05, isBeyond: true });
    expect(controlTest(edit, controls([30, ...nineteen.slice(1)]), target!, 'ood')).toMatchObject({
      p: 0.1,
      isBeyond: false,
    });
  });
  it('says nothing without controls, target or evaluation', () => {
    expect(controlTest(edit, [], target!, 'ood')).toBeNull();
    expect(controlTest(edit, controls([9]), null, 'ood')).toBeNull();
    expect(controlTest({ ...edit, evaluation: null }, controls([9]), target!, 'ood')).toBeNull();
  });
  it('names the limit that few replicates set', () => {
    const test = controlTest(edit, controls([9, 12, 10]), target!, 'ood')!;
    expect(controlWords(test, 'scrambled', 'OOD')).toBe(
      'OOD against 3 scrambled controls: not distinguishable from its controls (p = 0.25; with 3 p cannot go below 0.25)',
    );
    const beyond = controlTest(edit, controls(Array.from({ length: 19 }, () => 10)), target!, 'ood')!;
    expect(controlWords(beyond, 'noise', 'OOD')).toBe('OOD against 19 noise controls: beyond its controls (p = 0.05)');
  });
});

describe('effective rank', () => {
  const ranked = (effectiveRank: number, more: object) => {
    const point = sweepPoint(0, 0, more);
    return { ...point, record: { ...point.record, effectiveRank } };
  };
  it('falls short where narrow matrices have fewer ranks than asked for', () => {
    expect(isRankClipped(ranked(16, { ranks: { top: 16 } }))).toBe(false);
    expect(isRankClipped(ranked(42.7, { ranks: { top: 48 } }))).toBe(true);
    expect(isRankClipped(ranked(53.3, { axis: 'ranks', k: 64 }))).toBe(true);
    expect(isRankClipped(ranked(53.3, { axis: 'layers', k: 2 }))).toBe(false);
    expect(requestedRanks(sweepPoint(0, 0, { ranks: { top: 4, bottom: 2, band: [8, 10] } }))).toBe(8);
  });
});

it('episodes gained and lost are counted one by one', () => {
  expect(episodesMoved('1100', '1010')).toEqual({ gained: 1, lost: 1 });
  expect(episodesMoved('', '')).toBeNull();
  expect(episodesMoved('10', '1')).toBeNull();
});
