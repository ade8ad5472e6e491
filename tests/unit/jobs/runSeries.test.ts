import { describe, expect, test } from 'vitest';
import { drawnCurve } from '../../../main/api/runs.ts';
import { movingAverage } from '../../../main/jobs/movingAverage.ts';
import { runSeries, summarise, thinnedRows } from '../../../main/jobs/runSeries.ts';
import { evaluationAt } from '../../integration/kinds/testKinds.ts';

describe('the series of a run', () => {
  test('hold every finite number by quantity, and evaluations as shares', () => {
    const metrics: { step: number; values: Record<string, number> }[] = [
      { step: 1, values: { loss: 3, gradNormLayer0: 1 } },
      { step: 2, values: { loss: NaN, reward: null as unknown as number } },
      { step: 3, values: { loss: 1 } },
    ];
    const evaluation = evaluationAt(3);
    const series = runSeries(metrics, [{ step: 3, evaluation }]);
    expect([...series.get('loss')!.steps]).toEqual([1, 3]);
    expect([...series.get('loss')!.values]).toEqual([3, 1]);
    expect(series.has('reward')).toBe(false);
    const { correct, n } = evaluation.ood;
    expect([...series.get('oodAccuracy')!.values]).toEqual([correct / n]);
    const { last, peakOod } = summarise(series);
    expect(last).toMatchObject({ loss: 1, oodAccuracy: correct / n });
    expect(last).not.toHaveProperty('gradNormLayer0');
    expect(peakOod).toEqual({ step: 3, value: correct / n });
  });

  test('the peak is the highest value, the first of equal ones', () => {
    const at = (step: number, correct: number) => {
      const evaluation = evaluationAt(step);
      return { step, evaluation: { ...evaluation, ood: { ...evaluation.ood, n: 10, correct } } };
    };
    const { peakOod } = summarise(runSeries([], [at(0, 1), at(5, 4), at(10, 4), at(15, 2)]));
    expect(peakOod).toEqual({ step: 5, value: 0.4 });
  });
});

test('thinned rows are rows of the run, and every spike of every quantity is among them', () => {
  const values = (step: number) => ({ loss: step === 777 ? 9 : 1 / step, reward: step === 4242 ? -9 : step % 7 });
  const metrics = Array.from({ length: 5000 }, (_, i) => ({ step: i + 1, values: values(i + 1) }));
  const rows = thinnedRows(runSeries(metrics, [{ step: 5, evaluation: evaluationAt(5) }]), 50);
  expect(rows.length).toBeLessThan(250);
  expect(rows.map(({ step }) => step)).toEqual(expect.arrayContaining([1, 777, 4242, 5000]));
  for (const row of rows) expect(row.values).toEqual(values(row.step));
});

describe('the moving average', () => {
  test('is the weighted mean of all values so far', () => {
    const values = Float64Array.of(2, -1, 4, 0.5);
    const weight = 0.7;
    const expected = values.map((_, at) => {
      let [sum, norm] = [0, 0];
      for (let i = 0; i <= at; i++) {
        sum += weight ** (at - i) * values[i]!;
        norm += weight ** (at - i);
      }
      return sum / norm;
    });
    movingAverage(values, weight).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
  });

  test('of a constant is the constant, from the first value on', () => {
    for (const value of movingAverage(new Float64Array(50).fill(3), 0.99)) expect(value).toBeCloseTo(3, 12);
  });
});

describe('a drawn curve', () => {
  const count = 10_000;
  const steps = Int32Array.from({ length: count }, (_, i) => i);
  const values = Float64Array.from(steps, (step) => Math.sin(step / 500));
  values[4321] = 40;
  values[8765] = -40;

  test('has few points, and the spikes are among them at their steps', () => {
    const { steps: at, values: drawn, points } = drawnCurve('a', { steps, values }, { smoothing: 0, buckets: 100 });
    expect(points).toBe(count);
    expect(at.length).toBeLessThanOrEqual(202);
    expect(drawn[at.indexOf(4321)]).toBe(40);
    expect(drawn[at.indexOf(8765)]).toBe(-40);
    at.forEach((step, i) => expect(drawn[i]).toBe(values[step]));
  });

  test('between two steps has all points where they are few, both ends included', () => {
    const curve = drawnCurve('a', { steps, values }, { smoothing: 0, buckets: 100, fromStep: 4300, toStep: 4400 });
    expect(curve.points).toBe(101);
    expect(curve.steps).toEqual([...steps.subarray(4300, 4401)]);
  });

  test('is averaged over the whole run, wherever it is looked at', () => {
    const whole = movingAverage(values, 0.9);
    const curve = drawnCurve('a', { steps, values }, { smoothing: 0.9, buckets: 100, fromStep: 9000 });
    curve.steps.forEach((step, i) => expect(curve.smoothed![i]).toBe(whole[step]));
    expect(drawnCurve('a', { steps, values }, { smoothing: 0, buckets: 100 }).smoothed).toBeNull();
  });

  test('beyond the last step is empty', () => {
    const curve = drawnCurve('a', { steps, values }, { smoothing: 0, buckets: 100, fromStep: 20_000 });
    expect(curve).toMatchObject({ points: 0, steps: [], values: [] });
  });
});
