/**
 * Accuracy along straight lines in the weights: from the SFT peak over SFT_End to RL_End, and from the base to SFT_End.
 * The recovery arm that needs no RL (the second line: WiSE-FT, Wortsman et al. 2022).
 */
import type { Evaluation } from '../../../../main/contract/evaluation.ts';
import type { SeedResult, StudyCheckpoint } from '../../../../main/contract/studyResult.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, intervalBand, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { scoreCells } from './accuracyCurve.ts';
import { checkpointLabels } from './reversionRows.ts';
import { accuracy, meanCurve, namedEvaluation, splitLabels, type SeedView, type Split } from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];

interface Position {
  at: number;
  evaluation: Evaluation;
}

/** Checkpoints along a line, one unit of position apart. */
interface Line {
  title: string;
  ends: StudyCheckpoint[];
}
const lines: [Line, Line] = [
  { title: 'From the peak over SFT_End to RL_End', ends: ['peak', 'end', 'rlEnd'] },
  { title: 'From the base to SFT_End', ends: ['base', 'end'] },
];

/** Interpolated models between neighbours of the line (alpha = 1 is the reference), and its ends. */
export function positions(seed: SeedResult, line: Line = lines[0]): Position[] {
  const inner = seed.ablations.flatMap(({ edit, control, alpha, reference, target, evaluation }) => {
    const from = line.ends.indexOf(reference);
    if (edit !== 'interpolation' || control !== undefined || alpha === undefined || from < 0) return [];
    return line.ends[from + 1] === target ? [{ at: from + 1 - alpha, evaluation }] : [];
  });
  const ends = line.ends.flatMap((name, at) => {
    const evaluation = namedEvaluation(seed, name);
    return evaluation === null || inner.some((point) => point.at === at) ? [] : [{ at, evaluation }];
  });
  return inner.length === 0 ? [] : [...inner, ...ends].sort((a, b) => a.at - b.at);
}

function seedSeries(along: Position[], split: Split, panel: number, who: string, { theme }: ChartFrame): object[] {
  const label = splitLabels[split];
  const data = along.map(({ at, evaluation }) => {
    const { correct, n } = evaluation[split];
    const tip = `${label}${who}: ${percentWithInterval(correct, n)}`;
    return { value: [at, (100 * correct) / n], tip };
  });
  const color = theme[split];
  if (who !== '') return [curve(data, { name: label, color, panel, width: 1, opacity: 0.5, symbol: 'none' })];
  const intervals = along.map(({ at, evaluation }) => {
    const [low, high] = wilsonInterval(evaluation[split].correct, evaluation[split].n);
    return { x: at, low: 100 * low, high: 100 * high };
  });
  return [curve(data, { name: label, color, panel }), intervalBand(intervals, label, color, panel)];
}

function lineSeries(seeds: SeedResult[], line: Line, panel: number, frame: ChartFrame): object[] {
  const several = seeds.length > 1;
  return splits.flatMap((split) => {
    const own = seeds.flatMap((seed) =>
      seedSeries(positions(seed, line), split, panel, several ? `, seed ${seed.seed}` : '', frame),
    );
    if (!several) return own;
    const label = splitLabels[split];
    const curves = seeds
      .map((seed) => positions(seed, line).map(({ at, evaluation }) => ({ x: at, y: accuracy(evaluation[split]) })))
      .filter((points) => points.length > 0);
    const data = meanCurve(curves).map(({ x, y }) => ({ value: [x, 100 * y], tip: `${label}, mean: ${percent(y)}` }));
    return [curve(data, { name: label, color: frame.theme[split], panel, width: 3, front: true }), ...own];
  });
}

export function interpolation(view: SeedView, frame: ChartFrame): Figure | null {
  const { seeds } = view;
  const drawn = lines.filter((line) => seeds.some((seed) => positions(seed, line).length > 0));
  if (drawn.length === 0) return null;
  const specs = drawn.map(({ title, ends }): PanelSpec => ({
    title,
    x: {
      name: 'position in the weights',
      min: 0,
      max: ends.length - 1,
      step: 0.25,
      format: (at) => (ends[Number(at)] === undefined ? '' : checkpointLabels[ends[Number(at)]!]),
    },
    y: { name: 'accuracy (%)', min: 0, max: 100 },
  }));
  const names = splits.map((split) => splitLabels[split]);
  const layout = { columns: columnsFor(frame, 2, 380), plotHeightPx: 230, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: drawn.flatMap((line, panel) => lineSeries(seeds, line, panel, frame)),
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (at) => `position ${at}`),
    },
    summary: `Accuracy along straight lines in the weights: ${drawn.map(({ title }) => title.toLowerCase()).join('; ')}.`,
    table: {
      columns: ['seed', 'line', 'position', 'split', 'correct', 'n', 'accuracy', 'low', 'high'],
      rows: seeds.flatMap((seed) =>
        drawn.flatMap((line) =>
          positions(seed, line).flatMap(({ at, evaluation }) =>
            splits.map((split) => [seed.seed, line.title, at, splitLabels[split], ...scoreCells(evaluation[split])]),
          ),
        ),
      ),
    },
  };
}
