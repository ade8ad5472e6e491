/** Small multiples: equal panels in a grid, each with its title and axes, as ECharts options. */
import { format } from 'echarts/core';
import type { ChartFrame } from './figure.ts';

export interface PanelSpec {
  title: string;
  x: AxisSpec;
  y: AxisSpec;
  /** Height of this plot where it differs from the layout's; a row is as high as its highest. */
  plotHeightPx?: number;
}

export interface AxisSpec {
  /** Quantity with its unit: "OOD accuracy (%)". Empty: no name. */
  name: string;
  kind?: 'value' | 'log' | 'category' | 'time';
  categories?: string[];
  min?: number;
  max?: number;
  /** Between ticks; chosen by ECharts otherwise, which adds ticks at the ends that crowd their neighbours. */
  step?: number;
  /** Tick labels; categories and numbers as they are otherwise. */
  format?: (value: number | string) => string;
  inverse?: boolean;
  /** Room for tick labels, px. */
  labelWidthPx?: number;
  hideLabels?: boolean;
  /** Axis line on zero or at the edge. */
  scale?: boolean;
}

export interface PanelLayout {
  columns: number;
  /** Height of one panel's plot, px. */
  plotHeightPx: number;
  /** Left margin of the panels, px. */
  leftPx?: number;
  /** Left margin of the panels that are not in the first column, where those share its labels, px. */
  innerLeftPx?: number;
  /** Right of each panel, px: room for labels of lines. */
  labelsPx?: number;
  /** Names in the legend above the panels, for its height; none: no room for a legend. */
  legend?: string[];
  /** Room for two rows of labels above the plots. */
  marked?: boolean;
}

export interface Panels {
  grid: object[];
  xAxis: object[];
  yAxis: object[];
  title: object[];
  heightPx: number;
}

const titlePx = 28;
const marksPx = 28;
const belowPx = 46;
const gapPx = 18;
/** Half of the last tick label. */
const tickPx = 14;
/** A line of 14 px and the gap that ECharts leaves between entries, also between rows. */
const legendRowPx = 30;
/** Mark and gap before a legend's name, and the gap to the next entry (`legend` in marks.ts). */
const [legendMarkPx, legendGapPx] = [23, 16];
export const legendTextPx = 12;
const titleTextPx = 12.5;

/** Width of the legend in this frame. */
export const legendWidthPx = ({ widthPx }: ChartFrame): number => widthPx - 16;

/** Width of a line of text. @param font weight and size, as CSS has them */
export const textPx = (text: string, font: string, frame: ChartFrame): number =>
  format.getTextRect(text, `${font} ${frame.fontFamily ?? fontFamily}`).width;

/** Rows that a legend of these names wraps into. */
export function legendRows(names: string[], frame: ChartFrame): number {
  let rows = 1;
  let usedPx = 0;
  for (const name of names) {
    const px = legendMarkPx + textPx(name, `${legendTextPx}px`, frame);
    if (usedPx > 0 && usedPx + px > legendWidthPx(frame)) {
      rows += 1;
      usedPx = 0;
    }
    usedPx += px + legendGapPx;
  }
  return rows;
}

export const fontFamily = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

function axis(spec: AxisSpec, gridIndex: number, { theme }: ChartFrame, vertical: boolean): object {
  const kind = spec.kind ?? 'value';
  return {
    type: kind,
    gridIndex,
    name: spec.name,
    nameLocation: 'middle',
    nameGap: vertical ? (spec.labelWidthPx ?? 38) : 27,
    nameTextStyle: { color: theme.muted, fontSize: 12, fontFamily },
    ...(spec.categories === undefined ? {} : { data: spec.categories }),
    ...(spec.min === undefined ? {} : { min: spec.min }),
    ...(spec.max === undefined ? {} : { max: spec.max }),
    ...(spec.step === undefined ? {} : { interval: spec.step }),
    inverse: spec.inverse ?? false,
    scale: spec.scale ?? false,
    axisLabel: {
      show: spec.hideLabels !== true,
      color: theme.muted,
      fontSize: 11,
      fontFamily,
      hideOverlap: true,
      ...(spec.format === undefined ? {} : { formatter: spec.format }),
    },
    axisLine: { show: true, onZero: false, lineStyle: { color: theme.rule } },
    axisTick: { show: kind !== 'category' && spec.hideLabels !== true, lineStyle: { color: theme.rule } },
    splitLine: { show: kind !== 'category' && vertical, lineStyle: { color: theme.grid } },
    minorSplitLine: { show: false },
  };
}

/** Grids, axes and titles of the panels, row by row. Series refer to them by index. */
export function panels(specs: PanelSpec[], layout: PanelLayout, frame: ChartFrame): Panels {
  const columns = Math.max(1, Math.min(layout.columns, specs.length));
  const { leftPx = 58, innerLeftPx = leftPx, labelsPx = 0 } = layout;
  const rightPx = Math.max(tickPx, labelsPx);
  const lefts = leftPx + innerLeftPx * (columns - 1);
  const plotPx = Math.max(90, (frame.widthPx - lefts - (gapPx + rightPx) * columns + gapPx) / columns);
  const abovePx = titlePx + (layout.marked === true ? marksPx : 0);
  const firstPx = layout.legend === undefined ? 0 : legendRowPx * legendRows(layout.legend, frame);
  const rowPx = Array.from({ length: Math.ceil(specs.length / columns) }, (_, row) => {
    const heights = specs
      .slice(row * columns, (row + 1) * columns)
      .map((spec) => spec.plotHeightPx ?? layout.plotHeightPx);
    return abovePx + Math.max(...heights) + belowPx;
  });
  const above = (row: number): number => rowPx.slice(0, row).reduce((sum, px) => sum + px, firstPx);
  const grid: object[] = [];
  const title: object[] = [];
  specs.forEach((spec, index) => {
    const column = index % columns;
    const left = leftPx + column * (plotPx + rightPx + gapPx + innerLeftPx);
    const top = above(Math.floor(index / columns));
    grid.push({ left, top: top + abovePx, width: plotPx, height: spec.plotHeightPx ?? layout.plotHeightPx });
    // A title longer than its plot begins further left rather than being cut off.
    const freePx = frame.widthPx - textPx(spec.title, `600 ${titleTextPx}px`, frame) - 4;
    title.push({
      text: spec.title,
      left: column === columns - 1 ? Math.max(0, Math.min(left - 4, freePx)) : left - 4,
      top: top + 6,
      padding: 0,
      textStyle: { fontSize: titleTextPx, fontWeight: 600, color: frame.theme.ink, fontFamily },
    });
  });
  return {
    grid,
    title,
    xAxis: specs.map((spec, index) => axis(spec.x, index, frame, false)),
    yAxis: specs.map((spec, index) => axis(spec.y, index, frame, true)),
    heightPx: above(rowPx.length),
  };
}

/** A round step (1, 2, 2.5 or 5 of a power of ten) that divides a range into six parts at most. */
export function roundStep(range: number): number {
  const least = range / 6;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * power >= least * (1 - 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(3));
}

/** How many columns of at least `minPx` fit. */
export const columnsFor = (frame: ChartFrame, wanted: number, minPx = 300): number =>
  Math.max(1, Math.min(wanted, Math.floor(frame.widthPx / minPx)));
