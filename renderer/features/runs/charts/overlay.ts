/**
 * One quantity of several runs by step, each a line; with smoothing, the moving average over the faint values. Every drawn
 * bucket of steps holds its least and its largest value, so no spike is drawn away.
 */
import type { RunCurve } from '../../../../main/contract/runs.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip, type TooltipParam } from '../../../figures/marks.ts';
import { panels } from '../../../figures/panels.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { isShare, metricAxis, metricLabel, metricText } from '../metricNames.ts';

export interface OverlayView {
  metric: string;
  logX: boolean;
  logY: boolean;
  /** What each run is called here, by its id. */
  names: ReadonlyMap<string, string>;
}

/** Beyond, a legend and a list of values are longer than the figure. */
const namedCurves = 12;

/** Colours repeat after seven, dashed then. */
export function runStroke(index: number, theme: ChartTheme): { color: string; dashed: boolean } {
  const { matrices } = theme;
  return { color: matrices[index % matrices.length]!, dashed: Math.floor(index / matrices.length) % 2 === 1 };
}

interface Line {
  id: string;
  name: string;
  steps: number[];
  /** In the unit of the axis. */
  raw: number[];
  smoothed: number[] | null;
}

/** What a logarithmic axis cannot show is left out. */
function linesOf(curves: readonly RunCurve[], { metric, logX, logY, names }: OverlayView): Line[] {
  const factor = isShare(metric) ? 100 : 1;
  return curves.map(({ id, steps, values, smoothed }) => {
    const kept = steps.flatMap((step, i) => ((logX && step <= 0) || (logY && values[i]! <= 0) ? [] : [i]));
    return {
      id,
      name: names.get(id) ?? id,
      steps: kept.map((i) => steps[i]!),
      raw: kept.map((i) => factor * values[i]!),
      smoothed: smoothed && kept.map((i) => factor * smoothed[i]!),
    };
  });
}

function nearest(steps: readonly number[], step: number): number {
  let best = 0;
  steps.forEach((one, index) => {
    if (Math.abs(one - step) < Math.abs(steps[best]! - step)) best = index;
  });
  return best;
}

/** Values of all lines at a step: of each, its drawn point that is nearest. */
function valuesAt(lines: readonly Line[], metric: string, step: number): string {
  const factor = isShare(metric) ? 100 : 1;
  const rows = lines.flatMap(({ name, steps, raw, smoothed }) => {
    if (steps.length === 0) return [];
    const at = nearest(steps, step);
    const value = metricText(metric, raw[at]! / factor);
    const mean = smoothed === null ? '' : `, averaged ${metricText(metric, smoothed[at]! / factor)}`;
    return [`${name}: ${value}${mean}${steps[at] === step ? '' : ` (step ${steps[at]})`}`];
  });
  return [`step ${step}`, ...rows].join('\n');
}

export function overlay(curves: readonly RunCurve[], view: OverlayView, frame: ChartFrame): Figure | null {
  const lines = linesOf(curves, view);
  if (lines.every(({ steps }) => steps.length === 0)) return null;
  const { theme } = frame;
  const { metric, logX, logY } = view;
  const isNamed = lines.length <= namedCurves;
  const names = lines.map(({ name }) => name);
  const { heightPx, ...axes } = panels(
    [
      {
        title: metricLabel(metric),
        x: { name: 'step', kind: logX ? 'log' : 'value', scale: true },
        y: { name: metricAxis(metric), kind: logY ? 'log' : 'value', scale: true, labelWidthPx: 44 },
      },
    ],
    { columns: 1, plotHeightPx: 320, leftPx: 66, ...(isNamed ? { legend: names } : {}) },
    frame,
  );
  const series = lines.flatMap(({ name, steps, raw, smoothed }, index) => {
    const { color, dashed } = runStroke(index, theme);
    const points = (values: number[]) => steps.map((step, i) => ({ value: [step, values[i]!], tip: '' }));
    const style = { name, color, dashed, panel: 0, extra: { sampling: 'none' } };
    const symbol = steps.length <= 60 ? ('circle' as const) : ('none' as const);
    if (smoothed === null) return [curve(points(raw), { ...style, symbol, width: isNamed ? 1.7 : 1 })];
    return [
      // First: the legend shows what the first of a name looks like.
      curve(points(smoothed), { ...style, symbol: 'none', width: 2, front: true }),
      curve(points(raw), { ...style, symbol: 'none', width: 1, opacity: 0.28 }),
    ];
  });
  const hover = {
    ...tooltip(theme, 'axis'),
    formatter: (params: TooltipParam | TooltipParam[]) => {
      const at = (Array.isArray(params) ? params : [params])[0]?.axisValue;
      return at === undefined ? '' : valuesAt(lines, metric, Number(at));
    },
  };
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      ...(isNamed ? { legend: legend(names, frame), tooltip: hover } : {}),
    },
    summary: summarise(lines, metric),
    table: {
      columns: ['run', 'step', metricAxis(metric), 'moving average'],
      rows: lines.flatMap(({ name, steps, raw, smoothed }) =>
        steps.map((step, i) => [name, step, raw[i]!, smoothed?.[i] ?? null]),
      ),
    },
  };
}

function summarise(lines: readonly Line[], metric: string): string {
  const ends = lines.flatMap(({ name, raw, steps }) => {
    const value = raw.at(-1);
    if (value === undefined) return [];
    return [`${name} ${metricText(metric, isShare(metric) ? value / 100 : value)} at step ${steps.at(-1)}`];
  });
  const more = ends.length > 5 ? `, and ${ends.length - 5} more` : '';
  return `${metricLabel(metric)} by step of ${lines.length} ${lines.length === 1 ? 'run' : 'runs'}: ${ends.slice(0, 5).join('; ')}${more}.`;
}
