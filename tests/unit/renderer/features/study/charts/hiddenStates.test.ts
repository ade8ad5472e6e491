/** The figures of hidden states are drawn by ECharts itself, wide and narrow, in both themes; and say what was tested. */
import { describe, expect, it } from 'vitest';
import {
  hiddenStatesResultSchema,
  type CentroidDistance,
  type HiddenStatesResult,
} from '../../../../../../main/contract/hiddenStates.ts';
import {
  hiddenStates,
  shownPrompts,
  type StatesView,
} from '../../../../../../renderer/features/study/charts/hiddenStates.ts';
import { fartherWords, stateDistances } from '../../../../../../renderer/features/study/charts/stateDistances.ts';
import { darkCharts, lightCharts } from '../../../../../../renderer/figures/palette.ts';
import { frame, seriesOf, svgOf } from '../../../drawn.ts';

const prompts = 12;
const distance = (value: number): CentroidDistance => ({ observed: value + 0.1, distance: value, low: value - 0.5, high: value + 0.5 }); // prettier-ignore
const circle = (x: number): [number, number][] =>
  Array.from({ length: prompts }, (_, i) => [x + Math.cos(i), Math.sin(i)]);

function viewOf(
  roles: ('base' | 'peak' | 'end' | 'rlEnd')[],
  farther: HiddenStatesResult['farther'] = null,
): StatesView {
  const result = hiddenStatesResultSchema.parse({
    prompts,
    hiddenSize: 64,
    explained: { inDist: [0.5, 0.25], ood: [0.4, 0.1] },
    checkpoints: roles.map((_, i) => ({
      contentHash: `hash ${i}`,
      points: { inDist: circle(3 * i), ood: circle(-3 * i) },
      betweenSplits: distance(i + 1),
    })),
    pairs: roles.flatMap((_, b) =>
      roles.slice(0, b).map((_unused, a) => ({ a, b, inDist: distance(b - a), ood: distance(2 * (b - a)) })),
    ),
    farther,
  });
  const checkpoints = roles.map((role, i) => {
    return { id: `${i}`, name: role, folder: '/x', step: null, contentHash: null, label: role, role };
  });
  return { checkpoints, result };
}
const view = viewOf(['base', 'peak', 'end', 'rlEnd']);

describe.each([lightCharts, darkCharts])('hidden states, $name', (theme) => {
  it.each([1200, 560])('draws every panel, %d px', (widthPx) => {
    for (const figure of [hiddenStates(view, { theme, widthPx })!, stateDistances(view, 1, { theme, widthPx })!]) {
      const svg = svgOf(figure, widthPx);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      expect(svg).toContain('<path');
      for (const row of figure.table.rows) expect(row).toHaveLength(figure.table.columns.length);
    }
  });
});

describe('hidden states', () => {
  it('are absent before they are computed', () => {
    expect(hiddenStates(null, frame)).toBeNull();
    expect(stateDistances(null, 0, frame)).toBeNull();
  });

  it('the panels of a split have the same axes, and each its own centroid in the colour of the split', () => {
    const { option, table } = hiddenStates(view, frame)!;
    const { xAxis } = option as unknown as { xAxis: { name: string; min: number; max: number }[] };
    expect(xAxis.slice(0, 4).map(({ name, min, max }) => [name, min, max])).toEqual(
      Array(4).fill(['PC 1 (50.0 %)', -2, 10]),
    );
    expect(xAxis.slice(4).map(({ name, min }) => [name, min])).toEqual(Array(4).fill(['PC 1 (40.0 %)', -10]));
    const series = seriesOf(hiddenStates(view, frame));
    // a panel: prompts, the other centroids, its own
    expect(series).toHaveLength(8 * 3);
    const own = series[3 * 2 + 2]!.data[0]!;
    expect(own.tip).toMatch(/^centroid of end: 5\.\d/);
    expect(series[3 * 2 + 1]!.data).toHaveLength(3);
    expect(table.rows).toHaveLength(8 * prompts);
  });

  it('of many checkpoints the first prompts are drawn, and all are in the table', () => {
    const many = { ...view, result: { ...view.result, prompts: 2000 } };
    expect(shownPrompts(view)).toBe(prompts);
    expect(shownPrompts(many)).toBe(750);
  });

  it('distances are those from the chosen checkpoint, the other way round too', () => {
    const series = seriesOf(stateDistances(view, 2, frame)).filter(({ type }) => type === 'scatter');
    expect(series.map(({ name }) => name)).toEqual(['ID to OOD', 'ID', 'OOD']);
    expect(series[0]!.data.map(({ value }) => value[0])).toEqual([1, 2, 3, 4]);
    expect(series[1]!.data.map(({ value }) => value[0])).toEqual([2, 1, 0, 1]);
    expect(series[2]!.data.map(({ value }) => value[0])).toEqual([4, 2, 0, 2]);
    expect(series[2]!.data[0]!.tip).toBe('base, OOD: 4 (95 % CI 3.5–4.5)');
    // whichever one is chosen, the table has every distance
    expect(stateDistances(view, 2, frame)!.table.rows).toHaveLength(4 + 2 * 6);
  });

  it('say farther, nearer or not distinguishable by the interval', () => {
    const places = { from: 1, near: 2, far: 3 };
    const words = (inDist: [number, number], ood: [number, number]): string =>
      fartherWords(
        viewOf(['base', 'peak', 'end', 'rlEnd'], {
          ...places,
          inDist: { difference: (inDist[0] + inDist[1]) / 2, low: inDist[0], high: inDist[1] },
          ood: { difference: (ood[0] + ood[1]) / 2, low: ood[0], high: ood[1] },
        }),
      );
    expect(words([0.1, 0.3], [-0.3, -0.1])).toBe(
      'rlEnd against end, in distance from peak: farther on ID prompts (+0.2; 95 %, prompts: +0.1 to +0.3); nearer on OOD prompts (-0.2; 95 %, prompts: -0.3 to -0.1).',
    );
    expect(words([-0.1, 0.3], [0, 1])).toMatch(/not distinguishable on ID .*not distinguishable on OOD/);
    expect(fartherWords(view)).toBe('');
  });
});
