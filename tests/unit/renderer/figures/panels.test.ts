import { describe, expect, it } from 'vitest';
import { lightCharts } from '../../../../renderer/figures/palette.ts';
import { legend } from '../../../../renderer/figures/marks.ts';
import { legendRows, panels, roundStep } from '../../../../renderer/figures/panels.ts';
import { svgOf } from '../drawn.ts';

const escaped = (text: string): string => text.replace(/[()+]/g, '\\$&');
const frame = (widthPx: number) => ({ theme: lightCharts, widthPx });
const names = ['before RL (SFT)', 'PPO + KL anchor to base', 'plain PPO', 'anchor without reward'];

it.each([
  [2.8, 0.5],
  [1.675, 0.5],
  [0.35, 0.1],
  [6, 1],
  [100, 20],
])('ticks over a range of %d are %d apart', (range, step) => expect(roundStep(range)).toBe(step));

describe('the legend', () => {
  it('wraps instead of hiding names', () => {
    expect(legendRows(names, frame(1200))).toBe(1);
    expect(legendRows(names, frame(400))).toBe(2);
    expect(legendRows(['one'], frame(10))).toBe(1);
  });
  it('has as many rows as ECharts draws', () => {
    for (const widthPx of [300, 356, 420, 480, 540, 600, 745, 1200]) {
      const series = names.map((name) => ({ type: 'line', name, data: [[0, 1]] }));
      const option = { xAxis: {}, yAxis: {}, series, legend: legend(names, frame(widthPx)) };
      const svg = svgOf({ option, heightPx: 300, table: { columns: [], rows: [] }, summary: '' }, widthPx);
      const tops = names.map(
        (name) => new RegExp(`translate\\([^ ]+ ([^)]+)\\)"[^>]*>${escaped(name)}<`).exec(svg)?.[1],
      );
      expect(new Set(tops).size, `${widthPx} px`).toBe(legendRows(names, frame(widthPx)));
    }
  });
  it('pushes the panels down by its rows', () => {
    const spec = { title: '', x: { name: '' }, y: { name: '' } };
    const topAt = (widthPx: number, legend?: string[]) => {
      const layout = { columns: 1, plotHeightPx: 100, ...(legend === undefined ? {} : { legend }) };
      return (panels([spec], layout, frame(widthPx)).grid[0] as { top: number }).top;
    };
    expect(topAt(400, names) - topAt(1200, names)).toBe(30);
    expect(topAt(1200)).toBeLessThan(topAt(1200, names));
  });
});

it('a row is as high as its highest plot, and the next row begins below it', () => {
  const spec = (plotHeightPx?: number) => ({
    title: '',
    x: { name: '' },
    y: { name: '' },
    ...(plotHeightPx === undefined ? {} : { plotHeightPx }),
  });
  const made = panels([spec(), spec(300), spec(50)], { columns: 2, plotHeightPx: 100 }, frame(1200));
  const [first, second, third] = made.grid as { top: number; height: number }[];
  expect([first!.height, second!.height, third!.height]).toEqual([100, 300, 50]);
  expect(third!.top - first!.top - 300).toBe(made.heightPx - third!.top - 50 + first!.top);
});
