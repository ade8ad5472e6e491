/**
 * Options of a figure, made ready for paper: a standard font instead of the system's, nothing that only a mouse shows, the
 * height that was asked for, and, in greys, lines that differ by dashes and symbols.
 */
import type { Figure } from '../figure.ts';
import { exportFont, type ExportStyle } from './exportStyle.ts';

type Parts = Record<string, unknown>;
const isParts = (value: unknown): value is Parts =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** A copy in which every font is the exported one. Data stay as they are: they hold no fonts, and may be long. */
function withFont(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withFont);
  if (!isParts(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
    if (key === 'fontFamily') return [key, exportFont];
    return [key, typeof inner === 'object' ? withFont(inner) : inner];
  });
  return Object.fromEntries(entries);
}

interface Placed extends Parts {
  top: number;
  height: number;
}

/** The least part of its own height that a plot keeps. */
const leastPlotShare = 0.35;

/**
 * The plots higher or lower, row by row alike; text keeps its size.
 * @returns the option, and the height that came of it: no plot gets lower than a third of its own height
 */
function withHeight(option: Parts, heightPx: number, wantedPx: number): { option: Parts; heightPx: number } {
  const grids = (option['grid'] ?? []) as Placed[];
  const titles = (option['title'] ?? []) as Placed[];
  const tops = [...new Set(grids.map(({ top }) => top))].sort((a, b) => a - b);
  const rowPx = tops.map((top) => Math.max(...grids.filter((grid) => grid.top === top).map(({ height }) => height)));
  const plotsPx = rowPx.reduce((sum, px) => sum + px, 0);
  if (plotsPx === 0) return { option, heightPx };
  const factor = Math.max(leastPlotShare, 1 + (wantedPx - heightPx) / plotsPx);
  const shift = (top: number): number =>
    rowPx.slice(0, tops.indexOf(top)).reduce((sum, px) => sum + (factor - 1) * px, 0);
  return {
    option: {
      ...option,
      grid: grids.map((grid) => ({ ...grid, top: grid.top + shift(grid.top), height: factor * grid.height })),
      title: titles.map((title, index) => ({ ...title, top: title.top + shift(grids[index]?.top ?? 0) })),
    },
    heightPx: heightPx + (factor - 1) * plotsPx,
  };
}

interface LineSeries extends Parts {
  type: string;
  color: string;
  symbol?: string;
  lineStyle?: Parts;
}

/** Lines without colour, most different first. A builder's own dashes (references, nulls) become dots. */
const greyLines: { type: string | number[]; symbol: string }[] = [
  { type: 'solid', symbol: 'circle' },
  { type: [6, 3], symbol: 'rect' },
  { type: [8, 3, 2, 3], symbol: 'triangle' },
  { type: [3, 2], symbol: 'diamond' },
  { type: [10, 2, 2, 2, 2, 2], symbol: 'emptyCircle' },
];
const referenceDots = [1.5, 2.5];

function withDashes(series: LineSeries[]): LineSeries[] {
  const colors = [
    ...new Set(
      series
        .filter(({ type, lineStyle }) => type === 'line' && lineStyle?.['type'] !== 'dashed')
        .map((one) => one.color),
    ),
  ];
  return series.map((one) => {
    if (one.type !== 'line') return one;
    const look = greyLines[colors.indexOf(one.color) % greyLines.length];
    if (one.lineStyle?.['type'] === 'dashed' || look === undefined)
      return { ...one, lineStyle: { ...one.lineStyle, type: referenceDots } };
    return {
      ...one,
      lineStyle: { ...one.lineStyle, type: look.type },
      ...(one.symbol === 'none' ? {} : { symbol: look.symbol }),
    };
  });
}

/** @returns option and height (px) of the figure as `style` wants it on paper */
export function publication(
  figure: Figure,
  style: ExportStyle,
  wantedPx: number | null,
): { option: Parts; heightPx: number } {
  const plain = withFont(figure.option) as Parts;
  const series = plain['series'] as LineSeries[] | undefined;
  const option: Parts = {
    ...plain,
    tooltip: { show: false },
    ...(series !== undefined && style.palette === 'grey' ? { series: withDashes(series) } : {}),
  };
  return wantedPx === null ? { option, heightPx: figure.heightPx } : withHeight(option, figure.heightPx, wantedPx);
}
