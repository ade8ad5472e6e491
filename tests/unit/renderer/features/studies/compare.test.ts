import { describe, expect, test } from 'vitest';
import { comparedCurves } from '../../../../../renderer/features/studies/charts/comparedCurves.ts';
import { byPath, scoreRows } from '../../../../../renderer/features/studies/compareStudies.ts';
import { lightCharts } from '../../../../../renderer/figures/palette.ts';
import { seedResult, studyResult } from '../../studySample.ts';

const one = studyResult([seedResult(0)]);
const several = studyResult([seedResult(0), seedResult(1)]);

test('settings by path; lists are values', () => {
  expect(byPath({ a: 1, b: { c: [1, 2], d: { e: null } } })).toEqual({ a: 1, 'b.c': [1, 2], 'b.d.e': null });
});

describe('two studies side by side', () => {
  test('named checkpoints score with the interval of one seed, as the mean of several', () => {
    const row = scoreRows([one, several]).find(({ label }) => label === 'SFT_End, OOD accuracy')!;
    const { correct, n } = seedResult(0).sft.find(({ step }) => step === seedResult(0).endStep)!.evaluation.ood;
    expect(row.texts[0]).toContain(`${((100 * correct) / n).toFixed(1)} %`);
    expect(row.texts[0]).toContain('95 % CI');
    expect(row.texts[1]).toContain('2 seeds from');
  });

  test('curves of both are in both panels, in percent, and in the table', () => {
    const figure = comparedCurves([one, several], ['A', 'B'], { theme: lightCharts, widthPx: 1000 })!;
    const series = figure.option['series'] as { name: string; xAxisIndex: number; data: { value: number[] }[] }[];
    const of = (name: string, panel: number) => series.filter((s) => s.name === name && s.xAxisIndex === panel);
    // One seed: curve and band. Two: their mean, and each.
    expect([of('A', 0), of('A', 1), of('B', 0), of('B', 1)].map(({ length }) => length)).toEqual([2, 2, 3, 3]);
    const { step, evaluation } = one.seeds[0]!.sft[0]!;
    expect(of('A', 0)[0]!.data[0]!.value).toEqual([step, (100 * evaluation.ood.correct) / evaluation.ood.n]);
    expect(figure.table.rows).toHaveLength(3 * one.seeds[0]!.sft.length);
  });
});
