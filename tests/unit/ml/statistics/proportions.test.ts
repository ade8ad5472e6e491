import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import {
  bootstrapCounts,
  bootstrapShares,
  hierarchicalBootstrap,
  pairedDifferenceInterval,
  percentiles,
} from '../../../../main/ml/statistics/bootstrap.ts';
import { accuracyDifference } from '../../../../main/ml/statistics/difference.ts';
import { normalCdf, normalQuantile } from '../../../../main/contract/normal.ts';
import { exactMcNemar, holm, newcombe, newcombeP, wilson } from '../../../../main/ml/statistics/proportions.ts';

const proportion = fc
  .integer({ min: 1, max: 400 })
  .chain((n) => fc.record({ correct: fc.integer({ min: 0, max: n }), n: fc.constant(n) }));
const level = fc.double({ min: 0.5, max: 0.999, noNaN: true });
const outcomes = (length: number) =>
  fc.array(fc.boolean(), { minLength: length, maxLength: length }).map((bits) => bits.map(Number).join(''));
const pairOfOutcomes = fc.integer({ min: 1, max: 60 }).chain((n) => fc.tuple(outcomes(n), outcomes(n)));
const rightOf = (text: string): number => [...text].filter((c) => c === '1').length;

describe('the normal distribution', () => {
  it('has its known values', () => {
    expect(normalCdf(0)).toBe(0.5);
    expect(normalCdf(-1.959963984540054)).toBeCloseTo(0.025, 14);
    expect(normalCdf(-6) / 9.865876450376946e-10).toBeCloseTo(1, 10);
    expect(normalQuantile(0.95)).toBeCloseTo(1.6448536269514722, 11);
  });

  it('quantile and distribution undo each other, also near the seams', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -7, max: 7, noNaN: true }),
        (z) => Math.abs(normalQuantile(normalCdf(z)) - z) < 1e-5 * (1 + Math.exp((z * z) / 2 - 20)),
      ),
    );
    for (const z of [-3.0000001, -2.9999999]) expect(normalCdf(z) / 0.0013498980316300933).toBeCloseTo(1, 5);
  });
});

describe('intervals of proportions', () => {
  it('Wilson agrees with published values', () => {
    // Newcombe 1998, table 1: 81/263 and 0/20
    const { low, high } = wilson({ correct: 81, n: 263 });
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.2553', '0.3662']);
    expect(wilson({ correct: 0, n: 20 }).low).toBe(0);
    expect(wilson({ correct: 0, n: 20 }).high).toBeCloseTo(0.1611, 4);
  });

  it('Newcombe agrees with published values', () => {
    // Newcombe 1998 (Interval estimation for the difference), method 10: 56/70 - 48/80 and 9/10 - 3/10
    const a = newcombe({ correct: 56, n: 70 }, { correct: 48, n: 80 });
    expect([a.low.toFixed(4), a.high.toFixed(4)]).toEqual(['0.0524', '0.3339']);
    const b = newcombe({ correct: 9, n: 10 }, { correct: 3, n: 10 });
    expect([b.low.toFixed(4), b.high.toFixed(4)]).toEqual(['0.1705', '0.8090']);
  });

  it('stay in bounds, contain the estimate, widen with the level, mirror', () => {
    fc.assert(
      fc.property(proportion, level, (x, confidence) => {
        const { low, high } = wilson(x, confidence);
        const p = x.correct / x.n;
        const wider = wilson(x, confidence + (1 - confidence) / 2);
        const mirrored = wilson({ correct: x.n - x.correct, n: x.n }, confidence);
        expect(0 <= low && low <= p + 1e-12 && p <= high + 1e-12 && high <= 1).toBe(true);
        expect(wider.low <= low && wider.high >= high).toBe(true);
        expect(mirrored.low).toBeCloseTo(1 - high, 10);
      }),
    );
    fc.assert(
      fc.property(proportion, proportion, level, (x, y, confidence) => {
        const { low, high } = newcombe(x, y, confidence);
        const difference = x.correct / x.n - y.correct / y.n;
        expect(-1 - 1e-12 <= low && low <= difference + 1e-12 && difference <= high + 1e-12 && high <= 1 + 1e-12).toBe(
          true,
        );
        expect(newcombe(y, x, confidence).low).toBeCloseTo(-high, 12);
      }),
    );
  });

  it('the p-value is the level at which the interval reaches 0', () => {
    fc.assert(
      fc.property(proportion, proportion, (x, y) => {
        const p = newcombeP(x, y);
        expect(p + newcombeP(y, x)).toBeCloseTo(1, 12);
        if (p > 1e-9 && p < 0.49) expect(Math.abs(newcombe(x, y, 1 - 2 * p).low)).toBeLessThan(1e-6);
      }),
    );
  });

  it('cover as often as they say (4,000 seeded draws each)', () => {
    const random = new Philox('coverage');
    const draw = (n: number, p: number): number =>
      Array.from({ length: n }, () => Number(random.uniform() < p)).reduce((a, b) => a + b, 0);
    for (const [n, p, q] of [
      [60, 0.5, 0.3],
      [100, 0.1, 0.05],
    ] as const) {
      let [one, two] = [0, 0];
      for (let i = 0; i < 4000; i++) {
        const [a, b] = [
          { correct: draw(n, p), n },
          { correct: draw(n, q), n },
        ];
        const [w, d] = [wilson(a), newcombe(a, b)];
        if (w.low <= p && p <= w.high) one++;
        if (d.low <= p - q && p - q <= d.high) two++;
      }
      // score intervals cover 93 to 97 % at these n; three standard errors of 4,000 draws are 1 point
      for (const count of [one, two]) expect(Math.abs(count / 4000 - 0.95)).toBeLessThan(0.03);
    }
  });
});

describe('exact McNemar', () => {
  it('counts discordant pairs and has the binomial tail', () => {
    expect(exactMcNemar('11111000', '00000110')).toEqual({
      onlyA: 5,
      onlyB: 2,
      pGreater: 29 / 128,
      pTwoSided: 58 / 128,
    });
    expect(exactMcNemar('101', '101')).toEqual({ onlyA: 0, onlyB: 0, pGreater: 1, pTwoSided: 1 });
    const many = exactMcNemar('1'.repeat(1300) + '0'.repeat(1200), '0'.repeat(1300) + '1'.repeat(1200));
    expect(many.pGreater).toBeCloseTo(0.0239, 3);
    expect(exactMcNemar('1'.repeat(600), '0'.repeat(600)).pTwoSided).toBeLessThan(1e-100);
  });

  it('is a probability, and symmetric', () => {
    fc.assert(
      fc.property(pairOfOutcomes, ([a, b]) => {
        const [forth, back] = [exactMcNemar(a, b), exactMcNemar(b, a)];
        expect(forth.pTwoSided).toBe(back.pTwoSided);
        expect(forth.pGreater).toBeGreaterThan(0);
        expect(forth.pGreater).toBeLessThanOrEqual(1);
        expect(forth.pGreater + back.pGreater).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('refuses other episodes', () => {
    expect(() => exactMcNemar('10', '101')).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});

describe('bootstraps', () => {
  it('the exact paired interval is what many draws converge to', () => {
    const random = new Philox('pairs');
    const a = Array.from({ length: 600 }, () => random.int(2)).join('');
    const b = [...a].map((c) => (random.int(4) === 0 ? '0' : c)).join('');
    const exact = pairedDifferenceInterval(a, b, 0.9);
    const drawn = percentiles(
      bootstrapShares([a, b], ([x, y]) => x! - y!, ['test'], 8000),
      0.9,
    );
    expect(Math.abs(exact.low - drawn.low)).toBeLessThanOrEqual(1.01 / 600);
    expect(Math.abs(exact.high - drawn.high)).toBeLessThanOrEqual(1.01 / 600);
  });

  it('paired intervals contain the difference, mirror, and stay in bounds', () => {
    fc.assert(
      fc.property(pairOfOutcomes, ([a, b]) => {
        const { low, high } = pairedDifferenceInterval(a, b, 0.9);
        const difference = (rightOf(a) - rightOf(b)) / a.length;
        expect(-1 <= low && low <= difference + 1e-12 && difference <= high + 1e-12 && high <= 1).toBe(true);
        // quantiles of a discrete distribution: the mirrored one may take the next step
        expect(Math.abs(pairedDifferenceInterval(b, a, 0.9).low + high)).toBeLessThanOrEqual(1.01 / a.length);
      }),
    );
  });

  it('repeat with their key', () => {
    const draw = (key: string) => bootstrapShares(['1100', '1010'], ([x]) => x!, [key], 20);
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
    const counts = bootstrapCounts([{ correct: 30, n: 100 }], ([x]) => x!, ['a'], 2000);
    expect(counts.reduce((sum, x) => sum + x, 0) / 2000).toBeCloseTo(0.3, 2);
  });

  it('over seeds: wider than over episodes alone where seeds disagree, equal outcomes leave nothing', () => {
    const n = 200;
    const right = (count: number): string => '1'.repeat(count) + '0'.repeat(n - count);
    const same = hierarchicalBootstrap(
      [100, 100, 100].map((count) => ({ plus: right(count) })),
      0.95,
      ['a'],
    );
    const spread = hierarchicalBootstrap(
      [40, 100, 160].map((count) => ({ plus: right(count) })),
      0.95,
      ['a'],
    );
    expect(same.low).toBeGreaterThan(0.4);
    expect(same.high).toBeLessThan(0.6);
    expect(spread.high - spread.low).toBeGreaterThan(2 * (same.high - same.low));
    const none = hierarchicalBootstrap(
      [10, 20].map((count) => ({ plus: right(count), minus: right(count) })),
      0.95,
      ['a'],
    );
    expect(none).toEqual({ low: 0, high: 0 });
    expect(() => hierarchicalBootstrap([{ plus: '1' }], 0.95, [])).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });
});

describe('Holm', () => {
  it('steps down', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([true, false, false, true]);
    // Bonferroni would stop at 0.0125
    expect(holm([0.01, 0.02, 0.012, 0.005])).toEqual([true, true, true, true]);
    expect(holm([])).toEqual([]);
  });

  it('separates no more than single tests and no less than Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }), (ps) => {
        holm(ps).forEach((separated, i) => {
          if (separated) expect(ps[i]).toBeLessThanOrEqual(0.05);
          if (ps[i]! <= 0.05 / ps.length) expect(separated).toBe(true);
        });
      }),
    );
  });
});

describe('the difference of two accuracies', () => {
  const accuracy = (text: string) => ({ correct: rightOf(text), n: text.length, outcomes: text });

  it('is paired on the same episodes, unpaired without outcomes', () => {
    const [a, b] = [accuracy('1'.repeat(60) + '0'.repeat(40)), accuracy('1'.repeat(50) + '0'.repeat(50))];
    const paired = accuracyDifference(a, b, 'greater');
    expect(paired).toMatchObject({ separated: true, pValue: expect.closeTo(2 ** -10, 14) as number });
    expect(paired.interval.covers).toContain('paired');
    const unpaired = accuracyDifference({ correct: 60, n: 100 }, { correct: 50, n: 100 }, 'greater');
    expect(unpaired.separated).toBe(false);
    expect(unpaired.interval.covers).toContain('Newcombe');
    expect(unpaired.difference).toBeCloseTo(0.1, 12);
  });

  it('separates no handful of episodes, which the bootstrap alone would', () => {
    const difference = accuracyDifference(accuracy('1111' + '0'.repeat(96)), accuracy('0'.repeat(100)), 'greater');
    expect(difference.interval.low).toBeGreaterThan(0);
    expect(difference).toMatchObject({ pValue: expect.closeTo(1 / 16, 14) as number, separated: false });
  });

  it('of a set with itself is nothing', () => {
    const difference = accuracyDifference(accuracy('1010'), accuracy('1010'), 'twoSided');
    expect(difference).toMatchObject({ difference: 0, pValue: 1, separated: false });
  });

  it('keeps its level: equal checkpoints are called different in at most 5 % (1,500 seeded draws)', () => {
    const random = new Philox('level');
    let separated = 0;
    for (let i = 0; i < 1500; i++) {
      const [a, b] = [0, 1].map(() => accuracy(Array.from({ length: 80 }, () => random.int(2)).join('')));
      if (accuracyDifference(a!, b!, 'twoSided').separated) separated++;
    }
    expect(separated / 1500).toBeLessThanOrEqual(0.05);
    expect(separated / 1500).toBeGreaterThan(0.01);
  });
});
