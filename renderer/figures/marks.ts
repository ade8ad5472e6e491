/** Marks that the figures share: curves, interval bands and whiskers, and what hovering says, as ECharts series. */
import type { ChartFrame } from './figure.ts';
import { fontFamily, legendTextPx, legendWidthPx } from './panels.ts';
import type { ChartTheme } from './palette.ts';

/** A drawn value; `tip` is its line in the hover text, empty for none. */
export interface TipPoint {
  value: (number | string | null)[];
  tip: string;
  /** What a click opens, where the figure has `picks`. */
  key?: string;
}

export interface CurveStyle {
  name: string;
  color: string;
  panel: number;
  width?: number;
  dashed?: boolean;
  symbol?: 'circle' | 'emptyCircle' | 'diamond' | 'triangle' | 'rect' | 'none';
  opacity?: number;
  /** Above the curves of single seeds. */
  front?: boolean;
  extra?: object;
}

export function curve(data: TipPoint[], style: CurveStyle): object {
  return {
    type: 'line',
    name: style.name,
    xAxisIndex: style.panel,
    yAxisIndex: style.panel,
    data,
    symbol: style.symbol ?? 'circle',
    symbolSize: style.symbol === 'diamond' ? 9 : 6,
    showAllSymbol: data.length <= 60,
    lineStyle: {
      width: style.width ?? 2,
      type: style.dashed === true ? 'dashed' : 'solid',
      opacity: style.opacity ?? 1,
    },
    itemStyle: { color: style.color, opacity: style.opacity ?? 1 },
    color: style.color,
    z: style.front === true ? 3 : 2,
    emphasis: { disabled: true },
    ...(data.length > 1000 ? { sampling: 'lttb' } : {}),
    ...style.extra,
  };
}

export interface IntervalPoint {
  x: number | string;
  low: number;
  high: number;
}

interface RenderParams {
  dataIndex: number;
}
interface RenderApi {
  coord(value: (number | string)[]): [number, number];
}

/** Shaded band between the ends of the intervals along a curve. */
export function intervalBand(points: IntervalPoint[], name: string, color: string, panel: number): object {
  return {
    type: 'custom',
    name,
    xAxisIndex: panel,
    yAxisIndex: panel,
    silent: true,
    clip: true,
    z: 1,
    itemStyle: { color },
    color,
    tooltip: { show: false },
    data: points.length > 1 ? [[points[0]!.x, points[0]!.low]] : [],
    renderItem: (_: RenderParams, api: RenderApi) => ({
      type: 'polygon',
      shape: {
        points: [
          ...points.map(({ x, high }) => api.coord([x, high])),
          ...[...points].reverse().map(({ x, low }) => api.coord([x, low])),
        ],
      },
      style: { fill: color, opacity: 0.16 },
    }),
  };
}

/** A whisker for each interval; `horizontal` where the value runs along x. */
export function whiskers(
  points: IntervalPoint[],
  name: string,
  color: string,
  panel: number,
  options: { horizontal?: boolean; width?: number; offsetPx?: number; halo?: string } = {},
): object {
  const { horizontal = false, width = 1.4, offsetPx = 0, halo } = options;
  return {
    type: 'custom',
    name,
    xAxisIndex: panel,
    yAxisIndex: panel,
    silent: true,
    z: 4,
    itemStyle: { color },
    color,
    tooltip: { show: false },
    data: points.map(({ x, low, high }) => (horizontal ? [low, x, high] : [x, low, high])),
    encode: horizontal ? { x: [0, 2], y: 1 } : { x: 0, y: [1, 2] },
    renderItem: ({ dataIndex }: RenderParams, api: RenderApi) => {
      const { x, low, high } = points[dataIndex]!;
      const from = horizontal ? api.coord([low, x]) : api.coord([x, low]);
      const to = horizontal ? api.coord([high, x]) : api.coord([x, high]);
      const shift = (point: [number, number]): [number, number] =>
        horizontal ? [point[0], point[1] + offsetPx] : [point[0] + offsetPx, point[1]];
      const [a, b] = [shift(from), shift(to)];
      const cap = (end: [number, number]): object =>
        horizontal
          ? { x1: end[0], y1: end[1] - 3.5, x2: end[0], y2: end[1] + 3.5 }
          : { x1: end[0] - 3.5, y1: end[1], x2: end[0] + 3.5, y2: end[1] };
      const shapes = [{ x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, cap(a), cap(b)];
      const lines = (stroke: string, lineWidth: number): object[] =>
        shapes.map((shape) => ({ type: 'line', shape, style: { stroke, lineWidth } }));
      // On a bar the whisker needs an edge of its own to be seen.
      return {
        type: 'group',
        children: [...(halo === undefined ? [] : lines(halo, width + 2)), ...lines(color, width)],
      };
    },
  };
}

export interface TooltipParam {
  seriesName?: string;
  axisValue?: number | string;
  data?: unknown;
}

const tipOf = ({ data }: TooltipParam): string => (data as TipPoint | null)?.tip ?? '';

/** Rich-text tooltip: HTML ones carry style attributes, which the CSP forbids. */
export function tooltip(
  theme: ChartTheme,
  trigger: 'axis' | 'item',
  header: (value: number | string) => string = String,
): object {
  return {
    trigger,
    renderMode: 'richText',
    confine: true,
    transitionDuration: 0,
    backgroundColor: theme.surface,
    borderColor: theme.rule,
    borderWidth: 1,
    padding: [7, 10],
    textStyle: { color: theme.ink, fontSize: 12, fontFamily, lineHeight: 18 },
    axisPointer: { type: 'line', lineStyle: { color: theme.rule, type: 'dashed' }, label: { show: false } },
    formatter: (params: TooltipParam | TooltipParam[]) => {
      const list = Array.isArray(params) ? params : [params];
      const lines = list.map(tipOf).filter((line) => line !== '');
      if (lines.length === 0) return '';
      const at = list[0]?.axisValue;
      return [...(trigger === 'axis' && at !== undefined ? [header(at)] : []), ...lines].join('\n');
    },
  };
}

/** Legend over the panels, in as many rows as it needs; `names` in the order of the story. */
export function legend(names: string[], frame: ChartFrame): object {
  const { theme } = frame;
  return {
    type: 'plain',
    data: names,
    top: 2,
    left: 4,
    width: legendWidthPx(frame),
    itemWidth: 18,
    itemHeight: 9,
    itemGap: 16,
    // Rows of the height that `panels` leaves for them.
    textStyle: { color: theme.ink, fontSize: legendTextPx, fontFamily, lineHeight: 14 },
    inactiveColor: theme.rule,
  };
}

/** What every figure shares. Nothing moves by itself: live data would never come to rest. */
export const still = { animation: false, backgroundColor: 'transparent', textStyle: { fontFamily } } as const;

export interface VerticalMark {
  x: number;
  label: string;
  color: string;
}

/** Labelled vertical lines; for the `markLine` of a curve. Labels alternate in height and stay inside 0..lastX. */
export function verticalMarks(marks: VerticalMark[], theme: ChartTheme, lastX: number): object {
  return {
    symbol: 'none',
    silent: true,
    animation: false,
    data: marks.map(({ x, label, color }, index) => ({
      xAxis: x,
      lineStyle: { color, type: 'dashed', width: 1.3 },
      label: {
        formatter: label,
        position: 'end',
        align: x < 0.5 * lastX ? 'left' : 'right',
        distance: [0, 2 + 14 * (index % 2)],
        color: theme.ink,
        fontSize: 11,
        fontFamily,
      },
    })),
  };
}
