/**
 * Accuracy along straight lines in the weights, over two or three checkpoints: the baseline that needs no decomposition.
 * Position 0 is the target of the first pair, 1 its reference; a second pair goes on from there to 2.
 */
import type { SweepPointResult, SweepResult } from '../../../../main/contract/sweeps.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, intervalBand, legend, still, tooltip, type TipPoint } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { accuracy, splitLabels, type Split } from '../../study/charts/seedView.ts';
import { pointTable } from '../pointTable.ts';
import { pointWords } from '../pointWords.ts';
import { endNames, ownPoint } from '../sweepPoints.ts';
import { names } from './accuracyPanel.ts';
import { splits } from './ownLines.ts';

interface Stop {
  at: number;
  point: SweepPointResult;
}

interface Line {
  title: string;
  /** Checkpoints at 0, 1, 2, as the axis writes them. */
  ends: string[];
  stops: Stop[];
}

const longestTick = 20;
/** Long names share their beginning: the step tells them apart. */
const tickName = (name: string, step: number | null): string =>
  name.length <= longestTick ? name : step === null ? `${name.slice(0, longestTick - 1)}…` : `step ${step}`;

function lineOf(sweep: SweepResult, pairs: number[]): Line {
  const inner = sweep.points
    .filter(({ pair, edit }) => pairs.includes(pair) && edit === 'interpolation')
    .map((point) => ({ at: pairs.indexOf(point.pair) + (point.alpha ?? 0), point }));
  const ends = [
    { at: 0, point: ownPoint(sweep, pairs[0]!, 'target') },
    ...pairs.map((pair, index) => ({ at: index + 1, point: ownPoint(sweep, pair, 'reference') })),
  ].flatMap(({ at, point }) => (point === null ? [] : [{ at, point }]));
  const labels = [endNames(sweep, pairs[0]!).target, ...pairs.map((pair) => endNames(sweep, pair).reference)];
  const refs = [sweep.pairs[pairs[0]!]!.target, ...pairs.map((pair) => sweep.pairs[pair]!.reference)];
  return {
    title: `From ${labels.slice(0, -1).join(' over ')} to ${labels[labels.length - 1]}`,
    ends: labels.map((label, at) => tickName(label, refs[at]!.step)),
    stops: [...inner, ...ends].sort((a, b) => a.at - b.at),
  };
}

/** Neighbouring pairs that share a checkpoint are one line, as long as nothing lies beyond its ends. */
export function linesOf(sweep: SweepResult): Line[] {
  const { pairs, points } = sweep;
  const isInside = points.every(({ alpha }) => alpha === undefined || (alpha >= 0 && alpha <= 1));
  const isChain = pairs.length === 2 && pairs[1]!.target.id === pairs[0]!.reference.id;
  const groups = isInside && isChain ? [[0, 1]] : pairs.map((_, pair) => [pair]);
  return groups
    .map((group) => lineOf(sweep, group))
    .filter(({ stops }) => stops.some(({ point }) => point.edit === 'interpolation'));
}

function series(stops: Stop[], split: Split, panel: number, { theme }: ChartFrame): object[] {
  const shown = stops.flatMap(({ at, point }) =>
    point.evaluation === null ? [] : [{ at, point, score: point.evaluation[split] }],
  );
  const data = shown.map(({ at, point, score }): TipPoint => ({
    value: [at, 100 * accuracy(score)],
    tip: `${splitLabels[split]}: ${percentWithInterval(score.correct, score.n)}`,
    key: point.key,
  }));
  const intervals = shown.map(({ at, score }) => {
    const [low, high] = wilsonInterval(score.correct, score.n);
    return { x: at, low: 100 * low, high: 100 * high };
  });
  const name = names.split(split);
  return [
    curve(data, { name, color: theme[split], panel, extra: { symbolSize: 9 } }),
    intervalBand(intervals, name, theme[split], panel),
  ];
}

export function pathCurve(sweep: SweepResult, frame: ChartFrame): Figure | null {
  const lines = linesOf(sweep);
  if (lines.every(({ stops }) => stops.every(({ point }) => point.evaluation === null))) return null;
  const specs = lines.map(({ title, ends, stops }): PanelSpec => {
    const positions = stops.map(({ at }) => at);
    return {
      title,
      x: {
        name: 'position in the weights',
        min: Math.min(0, ...positions),
        max: Math.max(ends.length - 1, ...positions),
        step: 0.25,
        format: (at) => ends[Number(at)] ?? '',
      },
      y: { name: 'accuracy (%)', min: 0, max: 100 },
    };
  });
  const legendOf = splits.map(names.split);
  const layout = { columns: columnsFor(frame, lines.length, 420), plotHeightPx: 260, legend: legendOf };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const all = lines.flatMap(({ stops }) => stops.map(({ point }) => point));
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: lines.flatMap(({ stops }, panel) => splits.flatMap((split) => series(stops, split, panel, frame))),
      legend: legend(legendOf, frame),
      tooltip: tooltip(frame.theme, 'axis', (at) => `position ${at}`),
    },
    summary: `Accuracy along straight lines in the weights: ${lines.map(({ title }) => title).join('; ')}.`,
    picks: all.map((point) => ({
      key: point.key,
      label:
        pointWords(point, sweep.settings, endNames(sweep, point.pair)) +
        (point.evaluation === null ? '' : `: OOD ${percent(accuracy(point.evaluation.ood))}`),
    })),
    table: pointTable(sweep, all),
  };
}
