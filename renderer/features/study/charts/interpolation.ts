/**
 * Accuracy along the straight line in the weights from the SFT peak to SFT_End and on to RL_End: the recovery arm that
 * needs no RL. Position 0 is the peak, 1 is SFT_End, 2 is RL_End.
 */
import type { Evaluation } from '../../../../main/contract/evaluation.ts';
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, intervalBand, legend, still, tooltip } from '../../../figures/marks.ts';
import { panels } from '../../../figures/panels.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { scoreCells } from './accuracyCurve.ts';
import { accuracy, meanCurve, namedEvaluation, splitLabels, type SeedView, type Split } from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];

interface Position {
  at: number;
  evaluation: Evaluation;
}

/** alpha = 0 is the stage's target, 1 its reference: SFT runs from 1 back to 0, RL from 2 back to 1. */
export function positions(seed: SeedResult): Position[] {
  const inner = seed.ablations
    .filter(({ edit, control, alpha }) => edit === 'interpolation' && control === undefined && alpha !== undefined)
    .map(({ stage, alpha, evaluation }) => ({ at: (stage === 'sft' ? 1 : 2) - alpha!, evaluation }));
  const ends = (['peak', 'end', 'rlEnd'] as const).flatMap((name, at) => {
    const evaluation = namedEvaluation(seed, name);
    return evaluation === null || inner.some((point) => point.at === at) ? [] : [{ at, evaluation }];
  });
  return inner.length === 0 ? [] : [...inner, ...ends].sort((a, b) => a.at - b.at);
}

function seedSeries(seed: SeedResult, split: Split, thin: boolean, { theme }: ChartFrame): object[] {
  const along = positions(seed);
  const label = splitLabels[split];
  const data = along.map(({ at, evaluation }) => {
    const { correct, n } = evaluation[split];
    const tip = `${label}${thin ? `, seed ${seed.seed}` : ''}: ${percentWithInterval(correct, n)}`;
    return { value: [at, (100 * correct) / n], tip };
  });
  const color = theme[split];
  if (thin) return [curve(data, { name: label, color, panel: 0, width: 1, opacity: 0.5, symbol: 'none' })];
  const intervals = along.map(({ at, evaluation }) => {
    const [low, high] = wilsonInterval(evaluation[split].correct, evaluation[split].n);
    return { x: at, low: 100 * low, high: 100 * high };
  });
  return [curve(data, { name: label, color, panel: 0 }), intervalBand(intervals, label, color, 0)];
}

const endLabels = ['SFT peak', 'SFT_End', 'RL_End'];
const positionLabel = (at: number | string): string => endLabels[Number(at)] ?? `position ${at}`;

export function interpolation(view: SeedView, frame: ChartFrame): Figure | null {
  const seeds = view.seeds.filter((seed) => positions(seed).length > 0);
  if (seeds.length === 0) return null;
  const several = seeds.length > 1;
  const spec = {
    title: 'Along the straight line between the checkpoints',
    x: {
      name: 'position in the weights',
      min: 0,
      max: 2,
      format: (at: number | string) => endLabels[Number(at)] ?? '',
    },
    y: { name: 'accuracy (%)', min: 0, max: 100 },
  };
  const { heightPx, ...axes } = panels([spec], { columns: 1, plotHeightPx: 230 }, frame);
  const series = splits.flatMap((split) => {
    const own = seeds.flatMap((seed) => seedSeries(seed, split, several, frame));
    if (!several) return own;
    const label = splitLabels[split];
    const curves = seeds.map((seed) =>
      positions(seed).map(({ at, evaluation }) => ({ x: at, y: accuracy(evaluation[split]) })),
    );
    const data = meanCurve(curves).map(({ x, y }) => ({ value: [x, 100 * y], tip: `${label}, mean: ${percent(y)}` }));
    return [curve(data, { name: label, color: frame.theme[split], panel: 0, width: 3, front: true }), ...own];
  });
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(['ID', 'OOD'], frame),
      tooltip: tooltip(frame.theme, 'axis', positionLabel),
    },
    summary: `Accuracy along the straight line in the weights from the SFT peak over SFT_End to RL_End, ${seeds.length} seed(s).`,
    table: {
      columns: ['seed', 'position (0 peak, 1 SFT_End, 2 RL_End)', 'split', 'correct', 'n', 'accuracy', 'low', 'high'],
      rows: seeds.flatMap((seed) =>
        positions(seed).flatMap(({ at, evaluation }) =>
          splits.map((split) => [seed.seed, at, splitLabels[split], ...scoreCells(evaluation[split])]),
        ),
      ),
    },
  };
}
