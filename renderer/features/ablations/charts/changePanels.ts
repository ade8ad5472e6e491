/**
 * Beside the accuracy of a cumulative sweep: what each increment adds (episodes gained and lost since the previous point:
 * "the last 5 layers" of a cumulative sweep can only mean its final increment), and the size of the change.
 */
import type { SweepPointResult } from '../../../../main/contract/sweeps.ts';
import { curve, whiskers, type TipPoint } from '../../../figures/marks.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { percent } from '../../../figures/quantities.ts';
import { accuracy, splitLabels, type Split } from '../../study/charts/seedView.ts';
import { episodesMoved } from '../pointWords.ts';
import type { Site } from '../sweepPoints.ts';
import { names } from './accuracyPanel.ts';
import { splits } from './ownLines.ts';

export interface Increment {
  label: string;
  from: string;
  /** Share of the episodes, signed. */
  net: number;
  /** Of the same episodes; null where outcomes are not kept. */
  moved: { gained: number; lost: number; n: number } | null;
}

/** From the target over the first site to the last: each site against the one before it. */
export function increments(sites: Site[], target: SweepPointResult | null, split: Split): Increment[] {
  const steps = [{ label: 'target', point: target }, ...sites];
  return steps.slice(1).flatMap(({ label, point }, index) => {
    const before = steps[index]!;
    const [a, b] = [before.point?.evaluation?.[split], point?.evaluation?.[split]];
    if (a === undefined || b === undefined) return [];
    const moved = episodesMoved(a.outcomes, b.outcomes);
    return [
      {
        label,
        from: before.label,
        net: accuracy(b) - accuracy(a),
        moved: moved === null ? null : { ...moved, n: b.n },
      },
    ];
  });
}

const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)} points`;

function tipOf({ net, moved }: Increment, split: Split): string {
  const counts = moved === null ? '' : ` (${moved.gained} episodes gained, ${moved.lost} lost of ${moved.n})`;
  return `${splitLabels[split]}: ${points(net)}${counts}`;
}

/** A bar up to the episodes gained and down to those lost; the dot is their difference. */
export function incrementSeries(
  sites: Site[],
  target: SweepPointResult | null,
  panel: number,
  theme: ChartTheme,
): object[] {
  return splits.flatMap((split, index) => {
    const list = increments(sites, target, split);
    const name = names.split(split);
    const color = theme[split];
    const offsetPx = index === 0 ? -6 : 6;
    const bars = list.map(({ label, net, moved }) => ({
      x: label,
      low: 100 * (moved === null ? Math.min(0, net) : -moved.lost / moved.n),
      high: 100 * (moved === null ? Math.max(0, net) : moved.gained / moved.n),
    }));
    return [
      whiskers(bars, name, color, panel, { width: 3, offsetPx }),
      {
        type: 'scatter',
        name,
        xAxisIndex: panel,
        yAxisIndex: panel,
        data: list.map((one): TipPoint => ({ value: [one.label, 100 * one.net], tip: tipOf(one, split) })),
        symbolSize: 8,
        symbolOffset: [offsetPx, 0],
        itemStyle: { color: theme.surface, borderColor: color, borderWidth: 2 },
        color,
        z: 6,
        ...(index === 0
          ? {
              markLine: {
                symbol: 'none',
                silent: true,
                animation: false,
                data: [{ yAxis: 0, lineStyle: { color: theme.rule, type: 'solid', width: 1 }, label: { show: false } }],
              },
            }
          : {}),
      },
    ];
  });
}

const sizeOf = (point: SweepPointResult): number => 100 * point.record.relativeChange;

/** The ceiling is left out: its size is the distance between the two checkpoints, not that of an edit. */
export function sizeSeries(sites: Site[], panel: number, theme: ChartTheme, isJoined: boolean): object[] {
  const tip = (what: string, point: SweepPointResult): string =>
    `${what}: ||W' - W|| / ||W|| = ${percent(point.record.relativeChange, 3)}`;
  const own = sites.map(({ label, point }): TipPoint => ({
    value: [label, sizeOf(point)],
    tip: tip('edit', point),
    key: point.key,
  }));
  const doses = sites.flatMap(({ label, dose }): TipPoint[] =>
    dose === null ? [] : [{ value: [label, sizeOf(dose)], tip: tip('dose', dose), key: dose.key }],
  );
  const extra = isJoined ? { symbolSize: 8 } : { symbolSize: 8, lineStyle: { opacity: 0 } };
  return [
    curve(own, { name: 'size of the change', color: theme.train, panel, symbol: 'rect', extra }),
    ...(doses.length === 0
      ? []
      : [
          {
            type: 'scatter',
            name: names.dose,
            xAxisIndex: panel,
            yAxisIndex: panel,
            data: doses,
            symbol: 'diamond',
            symbolSize: 11,
            itemStyle: { color: theme.surface, borderColor: theme.muted, borderWidth: 1.8 },
            color: theme.muted,
            z: 5,
          },
        ]),
  ];
}

/** Sizes far apart (values are moved much less than vectors) need a logarithmic axis, which zero cannot be on. */
export function sizeAxis(sites: Site[]): { kind: 'value' | 'log'; min?: number; max?: number } {
  const sizes = sites.flatMap(({ point, dose }) => [sizeOf(point), ...(dose === null ? [] : [sizeOf(dose)])]);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const power = (value: number, round: (x: number) => number): number =>
    Number((10 ** round(Math.log10(value))).toPrecision(1));
  if (least > 0 && most / least > 20)
    return { kind: 'log', min: power(least, Math.floor), max: power(most, Math.ceil) };
  return { kind: 'value', min: 0 };
}
