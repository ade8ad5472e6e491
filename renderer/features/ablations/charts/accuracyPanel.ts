/**
 * Accuracy of edits along an axis: ID and OOD with 95 % Wilson intervals, each beside its controls (mean and range over
 * whole edited models, never pooled), its dose, its ceiling, and the accuracy of target and reference themselves.
 */
import { randomControls, type RandomControl, type SweepPointResult } from '../../../../main/contract/sweeps.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import { curve, intervalBand, whiskers, type IntervalPoint, type TipPoint } from '../../../figures/marks.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { mean, splitLabels, type Split } from '../../study/charts/seedView.ts';
import { controlTest, testWords } from '../controlTest.ts';
import { isRankClipped, requestedRanks, type Site } from '../sweepPoints.ts';
import { ownLines, scoreOf, shareOf, splits, type AccuracyExtent, type PanelContext } from './ownLines.ts';

export const names = {
  split: (split: Split): string => `${splitLabels[split]}, 95 % CI`,
  controls: (kind: RandomControl): string => `${kind} controls: range and mean`,
  dose: 'dose: at the size of the other edit',
  ceiling: 'ceiling: copied whole',
  clipped: 'effective rank below the request',
};
const controlMarks: Record<RandomControl, { symbol: 'rect' | 'triangle' | 'emptyCircle'; opacity: number }> = {
  scrambled: { symbol: 'rect', opacity: 1 },
  rotation: { symbol: 'triangle', opacity: 0.75 },
  noise: { symbol: 'emptyCircle', opacity: 0.75 },
};

/** Shares of a kind's replicates that were evaluated. */
const controlShares = ({ controls }: Site, kind: RandomControl, split: Split): number[] =>
  (controls[kind] ?? []).flatMap((one) => shareOf(one, split) ?? []);

/** All that is said of a site and split, in one place: accuracy, each kind of control with its test, dose and ceiling. */
function editTip(site: Site, split: Split, context: PanelContext): string {
  const { point, dose, ceiling } = site;
  const { correct, n } = scoreOf(point, split)!;
  const lines = [`${splitLabels[split]} ${percentWithInterval(correct, n)}`];
  for (const kind of randomControls) {
    const shares = controlShares(site, kind, split);
    const test = controlTest(point, site.controls[kind] ?? [], context.target, split);
    if (shares.length === 0) continue;
    const [low, high] = [Math.min(...shares), Math.max(...shares)];
    const tested = test === null ? '' : `\n   ${testWords(test)}`;
    lines.push(
      `   ${shares.length} ${kind} controls ${(100 * low).toFixed(1)} to ${percent(high)}, mean ${percent(mean(shares))}${tested}`,
    );
  }
  const [dosed, ceiled] = [shareOf(dose, split), shareOf(ceiling, split)];
  const beside = [
    ...(dosed === null ? [] : [`dose ${percent(dosed)}`]),
    ...(ceiled === null ? [] : [`ceiling ${percent(ceiled)}`]),
  ];
  if (beside.length > 0) lines.push(`   ${beside.join(', ')}`);
  if (split === 'ood' && isRankClipped(point))
    lines.push(`mean effective rank ${point.record.effectiveRank.toFixed(1)} of ${requestedRanks(point)} asked for`);
  return lines.join('\n');
}

function editSeries(sites: Site[], split: Split, context: PanelContext): object[] {
  const { theme, panel, isJoined } = context;
  const shown = sites.filter(({ point }) => point.evaluation !== null);
  const data = shown.map((site): TipPoint => ({
    value: [site.label, 100 * shareOf(site.point, split)!],
    tip: editTip(site, split, context),
    key: site.point.key,
  }));
  const intervals = shown.map(({ label, point }) => {
    const { correct, n } = scoreOf(point, split)!;
    const [low, high] = wilsonInterval(correct, n);
    return { x: label, low: 100 * low, high: 100 * high };
  });
  const name = names.split(split);
  const color = theme[split];
  const extra = {
    symbolSize: 9,
    // The lines of both splits hang on one curve, so that their labels know of each other.
    ...(split === splits[0] ? { markLine: ownLines(context) } : {}),
    ...(isJoined ? {} : { lineStyle: { opacity: 0 } }),
  };
  const clipped = shown.filter(({ point }) => isRankClipped(point));
  return [
    curve(data, { name, color, panel, front: true, extra }),
    whiskers(intervals, name, color, panel),
    ...(clipped.length === 0
      ? []
      : [
          {
            type: 'scatter',
            name: names.clipped,
            xAxisIndex: panel,
            yAxisIndex: panel,
            data: clipped.map(({ label, point }) => ({ value: [label, 100 * shareOf(point, split)!], tip: '' })),
            symbol: 'circle',
            symbolSize: 16,
            silent: true,
            itemStyle: { color: 'transparent', borderColor: theme.ink, borderWidth: 1.4 },
            color: theme.ink,
            z: 4,
          },
        ]),
  ];
}

/** A band from the least to the greatest replicate and a curve through their means. */
function controlSeries(
  sites: Site[],
  kind: RandomControl,
  split: Split,
  { theme, panel, isJoined }: PanelContext,
): object[] {
  const ranges = sites.flatMap((site) => {
    const shares = controlShares(site, kind, split);
    return shares.length === 0 ? [] : [{ site, shares, low: Math.min(...shares), high: Math.max(...shares) }];
  });
  if (ranges.length === 0) return [];
  const name = names.controls(kind);
  const intervals: IntervalPoint[] = ranges.map(({ site, low, high }) => ({
    x: site.label,
    low: 100 * low,
    high: 100 * high,
  }));
  const means = ranges.map(({ site, shares }): TipPoint => ({ value: [site.label, 100 * mean(shares)], tip: '' }));
  const { symbol, opacity } = controlMarks[kind];
  const isBand = isJoined && ranges.length > 1;
  const line = curve(means, { name, color: theme.neutral, panel, dashed: true, width: 1.2, symbol, opacity });
  return [
    isBand
      ? intervalBand(intervals, name, theme.neutral, panel)
      : whiskers(intervals, name, theme.neutral, panel, { width: 3, offsetPx: -10 }),
    isJoined ? line : { ...line, symbolOffset: [-10, 0], lineStyle: { opacity: 0 } },
  ];
}

function doseSeries(sites: Site[], split: Split, { theme, panel }: PanelContext): object[] {
  const data = sites.flatMap(({ label, dose }): TipPoint[] => {
    const score = scoreOf(dose, split);
    if (dose === null || score === null) return [];
    return [{ value: [label, (100 * score.correct) / score.n], tip: '', key: dose.key }];
  });
  if (data.length === 0) return [];
  const itemStyle = { color: theme.surface, borderColor: theme[split], borderWidth: 1.8 };
  const axes = { xAxisIndex: panel, yAxisIndex: panel };
  return [
    {
      type: 'scatter',
      name: names.dose,
      ...axes,
      data,
      symbol: 'diamond',
      symbolSize: 11,
      symbolOffset: [9, 0],
      itemStyle,
      color: theme.muted,
      z: 5,
    },
  ];
}

function ceilingSeries(sites: Site[], split: Split, { theme, panel, isJoined }: PanelContext): object[] {
  const data = sites.flatMap(({ label, ceiling }): TipPoint[] => {
    const score = scoreOf(ceiling, split);
    if (ceiling === null || score === null) return [];
    return [{ value: [label, (100 * score.correct) / score.n], tip: '', key: ceiling.key }];
  });
  if (data.length === 0) return [];
  const lineStyle = { width: 1.6, type: 'dotted', opacity: isJoined ? 1 : 0 };
  const extra = { lineStyle, symbolSize: 6 };
  return [curve(data, { name: names.ceiling, color: theme.edits.both, panel, symbol: 'triangle', extra })];
}

export function accuracySeries(sites: Site[], context: PanelContext): object[] {
  return splits.flatMap((split) => [
    ...randomControls.flatMap((kind) => controlSeries(sites, kind, split, context)),
    ...ceilingSeries(sites, split, context),
    ...editSeries(sites, split, context),
    ...doseSeries(sites, split, context),
  ]);
}

/** Names in the legend of what these sites have. */
export function legendNames(sites: Site[]): string[] {
  const kinds = randomControls.filter((kind) => sites.some(({ controls }) => controls[kind] !== undefined));
  return [
    ...splits.map(names.split),
    ...kinds.map(names.controls),
    ...(sites.some(({ dose }) => dose !== null) ? [names.dose] : []),
    ...(sites.some(({ ceiling }) => ceiling !== null) ? [names.ceiling] : []),
    ...(sites.some(({ point }) => point.evaluation !== null && isRankClipped(point)) ? [names.clipped] : []),
  ];
}

/** Whole range of what is shown, in percent, rounded outwards to ticks; and how far those are apart. */
export function accuracyExtent(sites: Site[], own: (SweepPointResult | null)[]): AccuracyExtent {
  const points = [
    ...sites.flatMap(({ point, controls, dose, ceiling }) => [point, dose, ceiling, ...Object.values(controls).flat()]),
    ...own,
  ];
  const values = points.flatMap((point) =>
    splits.flatMap((split) => {
      const score = scoreOf(point, split);
      return score === null ? [] : wilsonInterval(score.correct, score.n).map((share) => 100 * share);
    }),
  );
  if (values.length === 0) return { min: 0, max: 100, step: 20 };
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const step = highest - lowest > 50 ? 20 : highest - lowest > 25 ? 10 : 5;
  return {
    min: Math.max(0, step * Math.floor(lowest / step)),
    max: Math.min(100, step * Math.ceil(highest / step)),
    step,
  };
}
