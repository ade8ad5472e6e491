/** What target and reference score themselves, as lines across a panel of accuracies, named beside it. */
import type { SplitScore } from '../../../../main/contract/evaluation.ts';
import type { SweepPointResult } from '../../../../main/contract/sweeps.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { fontFamily } from '../../../figures/panels.ts';
import { accuracy, type Split } from '../../study/charts/seedView.ts';

export const splits: Split[] = ['inDist', 'ood'];

export interface AccuracyExtent {
  min: number;
  max: number;
  step: number;
}

/** Room for the names of the lines, px. */
export const ownLabelsPx = 104;

export interface PanelContext {
  theme: ChartTheme;
  panel: number;
  target: SweepPointResult | null;
  reference: SweepPointResult | null;
  ends: { target: string; reference: string };
  extent: AccuracyExtent;
  plotHeightPx: number;
  /** Sites on one axis are joined by lines; different edits are not. */
  isJoined: boolean;
}

export const scoreOf = (point: SweepPointResult | null, split: Split): SplitScore | null =>
  point?.evaluation?.[split] ?? null;
export const shareOf = (point: SweepPointResult | null, split: Split): number | null => {
  const score = scoreOf(point, split);
  return score === null ? null : accuracy(score);
};

interface OwnLine {
  split: Split;
  name: string;
  isTarget: boolean;
  /** Percent. */
  at: number;
}

function ownLinesOf({ target, reference, ends }: PanelContext): OwnLine[] {
  return splits.flatMap((split) =>
    [
      { share: shareOf(target, split), name: ends.target, isTarget: true },
      { share: shareOf(reference, split), name: ends.reference, isTarget: false },
    ].flatMap(({ share, name, isTarget }) => (share === null ? [] : [{ split, name, isTarget, at: 100 * share }])),
  );
}

/** Height of a label, px. */
const labelPx = 13;

/**
 * How far each label is moved down from its line so that none covers another, px.
 * @param ys of the lines, px from the top
 */
export function spreadLabels(ys: readonly number[]): number[] {
  const placed: number[] = [];
  const order = ys.map((_, index) => index).sort((a, b) => ys[a]! - ys[b]!);
  let lowest = -Infinity;
  for (const index of order) {
    placed[index] = Math.max(ys[index]!, lowest + labelPx);
    lowest = placed[index];
  }
  return ys.map((y, index) => placed[index]! - y);
}

/** Names of any length would be cut where they differ: their parts in the comparison are told instead. */
const shortName = (name: string, isTarget: boolean): string =>
  name.length <= 11 ? name : isTarget ? 'target' : 'reference';

/** Horizontal lines at what target and reference score, named at the right in the colour of the split; solid is the target. */
export function ownLines(context: PanelContext): object {
  const { theme, extent, plotHeightPx } = context;
  const lines = ownLinesOf(context);
  const offsets = spreadLabels(lines.map(({ at }) => (plotHeightPx * (extent.max - at)) / (extent.max - extent.min)));
  const data = lines.map(({ split, name, isTarget, at }, index) => ({
    yAxis: at,
    lineStyle: {
      color: isTarget ? theme.checkpoints.end : theme.checkpoints.peak,
      type: isTarget ? 'solid' : 'dashed',
      width: 1.3,
    },
    label: {
      formatter: `${shortName(name, isTarget)} ${at.toFixed(1)}`,
      position: 'end',
      distance: 5,
      offset: [0, offsets[index]],
      color: theme[split],
      fontSize: 11,
      fontFamily,
    },
  }));
  return { symbol: 'none', silent: true, animation: false, data };
}
