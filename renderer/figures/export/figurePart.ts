/** One plot of a figure of several, over the figure's whole width: what a panel of a paper often is. */
import type { Figure, NamedFigure } from '../figure.ts';

type Parts = Record<string, unknown>;
interface Grid extends Parts {
  left: number;
  top: number;
  width: number;
  height: number;
}
interface Drawing extends Parts {
  grid: Grid[];
  title: Parts[];
  xAxis: Parts[];
  yAxis: Parts[];
  series: Parts[];
  legend?: Parts & { data?: unknown[] };
}

/** Titles of the plots, in the order of their numbers; empty for a figure that has only one. */
export function partTitles(figure: Figure | null): string[] {
  const titles = (figure?.option['title'] ?? []) as Parts[];
  return titles.length > 1 ? titles.map(({ text }) => String(text)) : [];
}

function partOf(figure: Figure, index: number): Figure | null {
  const option = figure.option as unknown as Drawing;
  const grid = option.grid[index];
  if (grid === undefined) return null;
  const series = option.series
    .filter(({ xAxisIndex = 0 }) => xAxisIndex === index)
    .map((one) => ({ ...one, xAxisIndex: 0, yAxisIndex: 0 }));
  const names = new Set(series.map((one: Parts) => one['name']));
  const [top, bottom] = [Math.min(...option.grid.map((one) => one.top)), Math.max(...option.grid.map((one) => one.top + one.height))]; // prettier-ignore
  // The first column's left margin: labels that the columns share are drawn again.
  const left = option.grid[0]!.left;
  const right = Math.max(...option.grid.map((one) => one.left + one.width));
  const axis = (axes: Parts[]): Parts[] => [
    { ...axes[index], gridIndex: 0, axisLabel: { ...(axes[index]!['axisLabel'] as Parts), show: true } },
  ];
  const title = option.title[index]!;
  return {
    ...figure,
    heightPx: top + grid.height + (figure.heightPx - bottom),
    option: {
      ...option,
      grid: [{ ...grid, left, top, width: right - left }],
      title: [{ ...title, left: left - 4, top: (title['top'] as number) + top - grid.top }],
      xAxis: axis(option.xAxis),
      yAxis: axis(option.yAxis),
      series,
      ...(option.legend === undefined
        ? {}
        : { legend: { ...option.legend, data: (option.legend.data ?? []).filter((name) => names.has(name)) } }),
    },
  };
}

/** @param index of the plot, from 0; the table stays the figure's */
export function figurePart(figure: NamedFigure, index: number): NamedFigure {
  return {
    ...figure,
    build: (frame) => {
      const whole = figure.build(frame);
      return whole === null ? null : partOf(whole, index);
    },
  };
}

/** "accuracy/1": plot 1 of the figure `accuracy`; "accuracy": the whole figure. */
export const panelKey = (name: string, part: number | null): string => (part === null ? name : `${name}/${part}`);
export function readPanelKey(key: string): { name: string; part: number | null } {
  const [name = '', part] = key.split('/');
  return { name, part: part === undefined ? null : Number(part) };
}
