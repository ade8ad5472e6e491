/** What the figures say about a result by hand: values, intervals, marks, controls, nulls. */
import { describe, expect, it } from 'vitest';
import { wilsonInterval } from '../../../../../../main/contract/wilson.ts';
import { accuracyCurve, curveMarks } from '../../../../../../renderer/features/study/charts/accuracyCurve.ts';
import { endpointBars } from '../../../../../../renderer/features/study/charts/endpointBars.ts';
import { interpolation, positions } from '../../../../../../renderer/features/study/charts/interpolation.ts';
import { quantities } from '../../../../../../renderer/features/study/charts/layerHeatmap.ts';
import { controlsOf } from '../../../../../../renderer/features/study/charts/reversionRows.ts';
import { reversions } from '../../../../../../renderer/features/study/charts/reversions.ts';
import { rlIterations } from '../../../../../../renderer/features/study/charts/rlIterations.ts';
import { beforeAfter, recoveryWindow, rlStarts } from '../../../../../../renderer/features/study/charts/rlStarts.ts';
import { allSeeds, meanCurve, seedView } from '../../../../../../renderer/features/study/charts/seedView.ts';
import { training } from '../../../../../../renderer/features/study/charts/training.ts';
import { spectrum } from '../../../../../../renderer/features/study/charts/spectrum.ts';
import { lightCharts } from '../../../../../../renderer/figures/palette.ts';
import { frame, seriesOf } from '../../../drawn.ts';
import { matrixComparison, point, seedResult, studyResult } from '../../../studySample.ts';

const three = studyResult([0, 1, 2].map(seedResult));
const one = seedView(three, 0);
const all = seedView(three, allSeeds);

/** A seed with verdicts as far as the figures read them. */
function judged(): ReturnType<typeof seedResult> {
  const verdicts = {
    forgettingOnset: { point: 50, tested: null, words: '' },
    recoveryWindow: {
      point: { starts: [200, 500], crossings: [120] },
      tested: { starts: [200], below: [] },
      words: '',
    },
  };
  return { ...seedResult(0), verdicts: verdicts as unknown as NonNullable<ReturnType<typeof seedResult>['verdicts']> };
}

describe('seedView', () => {
  it('shows the chosen seed alone, and all of them otherwise', () => {
    expect(one.several).toBe(false);
    expect(one.seeds.map(({ seed }) => seed)).toEqual([0]);
    expect(all.several).toBe(true);
    expect(seedView(three, 99).seeds).toHaveLength(3);
  });
  it('averages only where every seed has a value', () => {
    const curves = [
      [
        { x: 0, y: 1 },
        { x: 5, y: 2 },
      ],
      [{ x: 5, y: 4 }],
    ];
    expect(meanCurve(curves)).toEqual([{ x: 5, y: 3 }]);
  });
});

describe('accuracyCurve', () => {
  it('draws k/n in percent, and says k, n and the Wilson interval on hover', () => {
    const ood = seriesOf(accuracyCurve(one, frame)).find(({ name, type }) => name === 'OOD' && type === 'line')!;
    const peak = ood.data.find(({ value }) => value[0] === 20)!;
    expect(peak.value[1]).toBe(40);
    const [low, high] = wilsonInterval(40, 100).map((share) => (100 * share).toFixed(1));
    expect(peak.tip).toContain(`CI ${low}–${high}`);
    expect(peak.tip).toContain('40 of 100');
  });
  it('marks peak, onset (with what is tested) and SFT_End in order', () => {
    const marks = curveMarks(judged(), lightCharts);
    expect(marks.map(({ x }) => x)).toEqual([20, 50, 200]);
    expect(marks[1]!.label).toContain('not separated');
  });
  it('shows each seed and their mean, without one seed posing as the interval', () => {
    const series = seriesOf(accuracyCurve(all, frame)).filter(({ xAxisIndex }) => xAxisIndex === 0);
    expect(series.filter(({ name }) => name === 'OOD, each seed')).toHaveLength(3);
    expect(series.some(({ type }) => type === 'custom')).toBe(false);
    const mean = series.find(({ name }) => name === 'OOD, mean')!;
    expect(mean.data.find(({ value }) => value[0] === 20)!.value[1]).toBeCloseTo(41, 10);
  });
});

describe('rlStarts', () => {
  it('pairs the start with the last checkpoint of the same run', () => {
    const pairs = beforeAfter(seedResult(0), 'ppoAnchor');
    expect(pairs.map(({ run }) => run.startStep)).toEqual([20, 200, 500]);
    expect(pairs.map(({ before, after }) => after.ood.correct - before.ood.correct)).toEqual([2, 20, 4]);
  });
  it('shades from the crossing below the first start to the last start', () => {
    expect(recoveryWindow(judged())).toEqual([120, 500]);
    expect(recoveryWindow(seedResult(0))).toBeNull();
    const shaded = seriesOf(rlStarts({ seeds: [judged()], several: false }, frame)).flatMap(
      ({ markArea }) => markArea?.data ?? [],
    );
    expect(shaded).toHaveLength(1);
  });
  it('averages the peak as a start of its own when its step differs from seed to seed', () => {
    const other = { ...seedResult(1), peakStep: 10 };
    other.rl = other.rl.map((run) => (run.startStep === 20 ? { ...run, startStep: 10 } : run));
    const series = seriesOf(rlStarts({ seeds: [seedResult(0), other], several: true }, frame));
    const mean = series.find(
      ({ name, data }) => name.startsWith('PPO + KL') && data[0]?.tip.includes('mean over seeds') === true,
    )!;
    expect(mean.data.map(({ value }) => value[0])).toEqual([15, 200, 500]);
  });
  it('keeps the control arms apart from the anchored one', () => {
    const names = new Set(seriesOf(rlStarts(one, frame)).map(({ name }) => name));
    expect(names).toContain('plain PPO');
    expect(names).toContain('anchor without reward');
  });
});

describe('arms', () => {
  it('have the same colour in every figure', () => {
    const starts = seriesOf(rlStarts(one, frame)).find(({ name }) => name === 'plain PPO')!;
    const iterations = seriesOf(rlIterations(one, new Map(), frame)).find(({ name }) => name === 'plain PPO')!;
    const bars = JSON.stringify(endpointBars(one, frame)!.option.series);
    expect(starts.color).toBe(lightCharts.arms.ppoPlain);
    expect(iterations.color).toBe(lightCharts.arms.ppoPlain);
    expect(bars).toContain(lightCharts.arms.ppoPlain);
  });
});

describe('rlIterations', () => {
  it('reads the scalars of the stage that the study planned, and leaves panels without data out', () => {
    const scalars = new Map([
      [
        'seed-0.rl-ppoAnchor-200',
        new Map([
          [1, { reward: 0.5 }],
          [2, { reward: 0.7 }],
        ]),
      ],
    ]);
    const figure = rlIterations(one, scalars, frame)!;
    expect(figure.table.columns).toEqual([
      'seed',
      'arm',
      'iteration',
      'OOD accuracy (%)',
      'ID accuracy (%)',
      'Mean reward (per answer)',
    ]);
    expect(seriesOf(figure).some(({ data }) => data.some(({ tip }) => tip.includes('0.7 per answer')))).toBe(true);
  });
});

describe('training', () => {
  const losses = (...values: number[]) =>
    new Map(values.map((loss, index) => [5 * (index + 1), { loss, learningRate: 1e-4 }] as const));
  const scalars = new Map([
    ['seed-0.pretrain', losses(4, 3)],
    ['seed-1.pretrain', losses(2, NaN)],
    ['seed-0.sft', losses(0.5)],
    ['seed-0.rl-ppoAnchor-200', losses(9)],
  ]);
  it('has a panel for each stage that trains by loss, a line for each seed and their mean', () => {
    const figure = training(scalars, allSeeds, frame);
    const values = seriesOf(figure).map(({ xAxisIndex, data }) => [xAxisIndex, data.map(({ value }) => value)]);
    expect(values).toEqual([
      [0, [[5, 3]]],
      [
        0,
        [
          [5, 4],
          [10, 3],
        ],
      ],
      [0, [[5, 2]]],
      [1, [[5, 0.5]]],
      [1, [[5, 0.5]]],
      [1, []],
    ]);
  });
  it('shows the chosen seed alone, with its learning rate on hover, before any result exists', () => {
    const [line, ...others] = seriesOf(training(scalars, 1, frame));
    expect(others).toEqual([]);
    expect(line!.data.map(({ tip }) => tip)).toEqual(['training loss: 2 nats per token, learning rate 1.00e-4']);
  });
});

describe('reversions', () => {
  const figure = reversions(one, 'sft', frame);
  it('draws the range and mean of the controls, and no pooled interval', () => {
    expect(controlsOf(seedResult(0), 'sft', 'singularVectors', 'ood')).toEqual([0.06, 0.08, 0.1]);
    const controls = seriesOf(figure).filter(({ name }) => name.startsWith('scrambled'));
    const tips = controls.flatMap(({ data }) => data.map(({ tip }) => tip)).filter((tip) => tip?.includes('OOD'));
    expect(tips).toEqual(['scrambled controls of vectors, OOD: mean 8.0 %, range 6.0 % to 10.0 %, 3 models']);
  });
  it('averages the ranges of the seeds, which may lie apart', () => {
    const controls = (ood: number[]) =>
      ood.map((right, replicate) => point('singularVectors', right, { control: 'scrambled', replicate }));
    const seedWith = (seed: number, ood: number[]) => ({
      ...seedResult(seed),
      ablations: [point('singularVectors', 50), ...controls(ood)],
    });
    const view = { seeds: [seedWith(0, [10, 20]), seedWith(1, [40, 60])], several: true };
    const tips = seriesOf(reversions(view, 'sft', frame))
      .filter(({ name }) => name.startsWith('scrambled'))
      .flatMap(({ data }) => data.map(({ tip }) => tip))
      .filter((tip) => tip?.includes('OOD'));
    expect(tips).toEqual([
      'scrambled controls of vectors, OOD: mean 32.5 %, range 25.0 % to 40.0 %, 4 models, averaged over 2 seeds',
    ]);
  });
  it("draws the reference's and the target's own accuracy", () => {
    const lines = seriesOf(figure).flatMap(({ markLine }) => markLine?.data ?? []);
    expect(lines.map(({ xAxis, label }) => [xAxis, label.formatter])).toContainEqual([40, 'SFT peak 40.0 %']);
    expect(lines.map(({ xAxis, label }) => [xAxis, label.formatter])).toContainEqual([10, 'SFT_End 10.0 %']);
  });
  it('says the size of the change beside every edit and dose', () => {
    const sizes = seriesOf(figure).find(({ name }) => name === 'size of the change')!;
    expect(sizes.data.map(({ value }) => value[0])).toEqual([0.2, 2, 2, 0.2, 2]);
  });
  it('promises intervals only where it draws them', () => {
    const names = (view: typeof one) => new Set(seriesOf(reversions(view, 'sft', frame)).map(({ name }) => name));
    expect(names(one)).toContain('edit, 95 % CI');
    expect(names(all)).toContain('edit, mean over seeds');
    expect(names(all)).not.toContain('edit, 95 % CI');
  });
  it('keeps the stages apart', () => {
    expect(reversions(one, 'rl', frame)).toBeNull();
  });
});

describe('interpolation', () => {
  it('runs from the peak over SFT_End to RL_End', () => {
    const along = positions(seedResult(0));
    expect(along.map(({ at }) => at)).toEqual([0, 0.25, 0.5, 0.75, 1, 1.5, 2]);
    expect(along.map(({ evaluation }) => evaluation.ood.correct)).toEqual([40, 25, 20, 15, 10, 20, 30]);
  });
  it('keeps the line from the base apart from the line from the peak', () => {
    const seed = seedResult(0);
    const toBase = [0.25, 0.75].map((alpha) => point('interpolation', 1, { reference: 'base', alpha }));
    const both = { ...seed, ablations: [...toBase, ...seed.ablations] };
    expect(positions(both)).toEqual(positions(seed));
    const ood = seriesOf(interpolation({ seeds: [both], several: false }, frame)).filter(
      ({ name, type }) => name === 'OOD' && type === 'line',
    );
    expect(ood.map(({ data }) => data.map(({ value }) => value))).toEqual([
      [
        [0, 40],
        [0.25, 25],
        [0.5, 20],
        [0.75, 15],
        [1, 10],
        [1.5, 20],
        [2, 30],
      ],
      [
        [0, 0],
        [0.25, 1],
        [0.75, 1],
        [1, 10],
      ],
    ]);
  });
});

describe('spectrum', () => {
  it('draws target - reference beside the random update', () => {
    const [nullCurve, measured] = seriesOf(spectrum(matrixComparison(), frame));
    expect(measured!.data.map(({ value }) => Number(value[1]).toFixed(2))).toEqual(['0.10', '0.00', '-0.20']);
    expect(nullCurve!.data.map(({ value }) => value[1])).toEqual([0.05, 0, -0.05]);
  });
  it('shades forced zeros', () => {
    const zones = seriesOf(spectrum(matrixComparison(), frame)).flatMap(({ markArea }) => markArea?.data ?? []);
    expect(zones).toEqual([[{ xAxis: 0, name: 'forced zeros' }, { xAxis: 1 }]]);
  });
  it('calls a side trivial instead of drawing it', () => {
    const { angles } = matrixComparison();
    const trivial = matrixComparison({ angles: { ...angles, leftRad: [0, 0], leftForcedZeros: 2 } });
    const left = seriesOf(spectrum(trivial, frame)).filter(({ xAxisIndex }) => xAxisIndex === 1);
    expect(left.every(({ data }) => data.length === 0)).toBe(true);
    expect(left[0]!.markArea!.data[0]![0]!.name).toContain('trivial');
  });
});

describe('layerHeatmap', () => {
  it('leaves forced zeros out of the angles, and has no value where all are forced', () => {
    expect(quantities.rightAngle!.of(matrixComparison())).toBeCloseTo(0.2, 12);
    const { angles } = matrixComparison();
    expect(quantities.rightAngle!.of(matrixComparison({ angles: { ...angles, rightForcedZeros: 2 } }))).toBeNaN();
  });
});
