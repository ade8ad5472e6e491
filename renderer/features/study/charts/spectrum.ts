/**
 * One matrix of one layer, two checkpoints (the paper's Figures 13 and 14): delta sigma beside the change that a random
 * update of the same norm makes, and the principal angles of the leading subspaces beside their null. Angles that are 0
 * for any two subspaces of this rank are shaded; a side where all are is called trivial instead of drawn as a result.
 */
import type { MatrixComparison } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip, type TipPoint } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal, degrees } from '../../../figures/quantities.ts';

const measured = 'measured';
const nullName = 'null (random update, random subspaces)';

function points(values: number[], label: string, unit: string): TipPoint[] {
  return values.map((y, index) => ({ value: [index + 1, y], tip: `${label}: ${decimal(y)}${unit}` }));
}

interface Side {
  title: string;
  rad: number[];
  nullRad: number[];
  forcedZeros: number;
}

function sides({ angles }: MatrixComparison): Side[] {
  const { rank, leftRad, leftNullRad, leftForcedZeros, rightRad, rightNullRad, rightForcedZeros } = angles;
  return [
    { title: `Left angles, rank ${rank}`, rad: leftRad, nullRad: leftNullRad, forcedZeros: leftForcedZeros },
    { title: `Right angles, rank ${rank}`, rad: rightRad, nullRad: rightNullRad, forcedZeros: rightForcedZeros },
  ];
}

const isTrivial = ({ rad, forcedZeros }: Side): boolean => forcedZeros >= rad.length;

function angleSeries(side: Side, panel: number, { theme }: ChartFrame): object[] {
  const trivial = isTrivial(side);
  const zone =
    side.forcedZeros > 0
      ? [
          [
            { xAxis: 0, name: trivial ? 'trivial: the subspace is the whole space' : 'forced zeros' },
            { xAxis: side.forcedZeros },
          ],
        ]
      : [];
  const markArea = {
    silent: true,
    itemStyle: { color: theme.grid, opacity: 0.7 },
    label: { color: theme.muted, fontSize: 11, position: 'inside' },
    data: zone,
  };
  const shown = trivial ? [] : points(side.rad.map(degrees), measured, '°');
  const nulls = trivial ? [] : points(side.nullRad.map(degrees), 'null', '°');
  return [
    curve(nulls, {
      name: nullName,
      color: theme.neutral,
      panel,
      dashed: true,
      symbol: 'none',
      width: 1.6,
      extra: { markArea },
    }),
    curve(shown, { name: measured, color: theme.matrices[0]!, panel, symbol: 'none' }),
  ];
}

/** Delta sigma and both angle curves of `comparison`. */
export function spectrum(comparison: MatrixComparison, frame: ChartFrame): Figure {
  const { theme } = frame;
  const deltaSigma = comparison.sTarget.map((s, index) => s - (comparison.sReference[index] ?? NaN));
  const both = sides(comparison);
  const angleSpec = ({ title, rad }: Side): PanelSpec => ({
    title,
    x: { name: 'index, ascending', min: 1, max: Math.max(2, rad.length) },
    y: { name: 'principal angle (°)', min: 0 },
  });
  const specs: PanelSpec[] = [
    {
      title: 'Delta sigma, target - reference',
      x: { name: 'index, descending sigma', min: 1, max: Math.max(2, deltaSigma.length) },
      y: { name: 'delta sigma', labelWidthPx: 46, scale: true },
    },
    ...both.map(angleSpec),
  ];
  const names = [measured, nullName];
  const { heightPx, ...axes } = panels(
    specs,
    { columns: columnsFor(frame, 3, 330), plotHeightPx: 200, leftPx: 66, legend: names },
    frame,
  );
  const zero = {
    symbol: 'none',
    silent: true,
    animation: false,
    label: { show: false },
    lineStyle: { color: theme.rule, type: 'solid', width: 1 },
    data: [{ yAxis: 0 }],
  };
  const series = [
    curve(points(comparison.deltaSigmaNull, 'random update of the same norm', ''), {
      name: nullName,
      color: theme.neutral,
      panel: 0,
      dashed: true,
      symbol: 'none',
      width: 1.6,
      extra: { markLine: zero },
    }),
    curve(points(deltaSigma, measured, ''), { name: measured, color: theme.matrices[0]!, panel: 0, symbol: 'none' }),
    ...both.flatMap((side, index) => angleSeries(side, index + 1, frame)),
  ];
  const at = (values: number[], index: number): number | null => values[index] ?? null;
  const { angles } = comparison;
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(theme, 'axis', (index) => `index ${index}`),
    },
    summary:
      `${comparison.weight}: largest |delta sigma| ${decimal(Math.max(...deltaSigma.map(Math.abs)))}, ` +
      `largest angle left ${decimal(degrees(Math.max(0, ...angles.leftRad)))}°, right ${decimal(degrees(Math.max(0, ...angles.rightRad)))}°.`,
    table: {
      columns: [
        'index',
        'sigma reference',
        'sigma target',
        'delta sigma',
        'delta sigma, random update',
        'left angle (rad)',
        'left null (rad)',
        'right angle (rad)',
        'right null (rad)',
      ],
      rows: comparison.sReference.map((s, index) => [
        index + 1,
        s,
        at(comparison.sTarget, index),
        at(deltaSigma, index),
        at(comparison.deltaSigmaNull, index),
        at(angles.leftRad, index),
        at(angles.leftNullRad, index),
        at(angles.rightRad, index),
        at(angles.rightNullRad, index),
      ]),
    },
  };
}
