/**
 * ID and OOD accuracy of SFT at every checkpoint (the paper's Figure 3, SFT part), with 95 % Wilson intervals of the
 * episodes, the peak, the onset of forgetting and SFT_End. A second panel enlarges the first steps, where the peak is.
 */
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure, FigurePick } from '../../../figures/figure.ts';
import {
  curve,
  intervalBand,
  legend,
  still,
  tooltip,
  verticalMarks,
  type VerticalMark,
} from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { openPoints, pickKey } from './pickedCheckpoint.ts';
import {
  accuracy,
  accuracyName,
  attemptsOf,
  mean,
  meanCurve,
  sftAt,
  splitLabels,
  type SeedView,
  type Split,
} from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];

/** What the marks say: observed and, where the study has tested it, what the data separate. */
export function curveMarks(seed: SeedResult, theme: ChartTheme): VerticalMark[] {
  const marks: VerticalMark[] = [];
  if (seed.peakStep !== null) marks.push({ x: seed.peakStep, label: `peak ${seed.peakStep}`, color: theme.ood });
  const onset = seed.verdicts?.forgettingOnset;
  if (onset?.point != null) {
    const tested = onset.tested === null ? 'not separated' : `separated from ${onset.tested}`;
    marks.push({ x: onset.point, label: `forgetting ${onset.point} (${tested})`, color: theme.rule });
  }
  if (sftAt(seed, seed.endStep) !== null)
    marks.push({ x: seed.endStep, label: `SFT_End ${seed.endStep}`, color: theme.checkpoints.end });
  return marks.sort((a, b) => a.x - b.x);
}

function seedSeries(seed: SeedResult, split: Split, panel: number, lastStep: number, thin: boolean, theme: ChartTheme) {
  const points = seed.sft.filter(({ step }) => step <= lastStep);
  const color = theme[split];
  const label = splitLabels[split];
  const data = points.map(({ step, evaluation }) => {
    const { correct, n } = evaluation[split];
    const tip = `${label}${thin ? `, seed ${seed.seed}` : ''}: ${percentWithInterval(correct, n)}`;
    return { value: [step, (100 * correct) / n], tip, key: pickKey({ seed: seed.seed, run: 'sft', step, split }) };
  });
  if (thin) {
    const name = `${label}, each seed`;
    const isOpen = attemptsOf({ seeds: [seed], several: false }) !== null;
    const look = { name, color, panel, width: 1, opacity: 0.5 } as const;
    return [curve(data, { ...look, ...(isOpen ? openPoints : { symbol: 'none' }) })];
  }
  const intervals = points.map(({ step, evaluation }) => {
    const [low, high] = wilsonInterval(evaluation[split].correct, evaluation[split].n);
    return { x: step, low: 100 * low, high: 100 * high };
  });
  return [curve(data, { name: label, color, panel }), intervalBand(intervals, label, color, panel)];
}

function panelSeries({ seeds, several }: SeedView, panel: number, lastStep: number, theme: ChartTheme): object[] {
  const series: object[] = [];
  for (const split of splits) {
    const each = seeds.flatMap((seed) => seedSeries(seed, split, panel, lastStep, several, theme));
    if (!several) {
      series.push(...each);
      continue;
    }
    const curves = seeds.map(({ sft }) =>
      sft.map(({ step, evaluation }) => ({ x: step, y: accuracy(evaluation[split]) })),
    );
    const label = `${splitLabels[split]}, mean`;
    const data = meanCurve(curves)
      .filter(({ x }) => x <= lastStep)
      .map(({ x, y }) => ({ value: [x, 100 * y], tip: `${label} of ${seeds.length} seeds: ${percent(y)}` }));
    // Clicks go through to the points of the seeds.
    const extra = { silent: true };
    series.push(curve(data, { name: label, color: theme[split], panel, width: 3, front: true, extra }), ...each);
  }
  return series;
}

/** Last step of the enlarged panel; null where it would not help. */
function earlySteps(seeds: SeedResult[]): number | null {
  const steps = seeds[0]!.sft.map(({ step }) => step);
  const lastStep = Math.max(...seeds.flatMap(({ sft }) => sft.map(({ step }) => step)));
  const peak = Math.max(0, ...seeds.map(({ peakStep }) => peakStep ?? 0));
  const inside = steps.filter((step) => step <= Math.max(2.5 * peak, lastStep / 10));
  const end = Math.max(...inside);
  return inside.length >= 4 && end <= lastStep / 3 ? end : null;
}

export function accuracyCurve(view: SeedView, frame: ChartFrame): Figure | null {
  const seeds = view.seeds.filter(({ sft }) => sft.length > 0);
  if (seeds.length === 0) return null;
  const { theme } = frame;
  const shown: SeedView = { seeds, several: seeds.length > 1 };
  const early = earlySteps(seeds);
  const lastSteps = early === null ? [Infinity] : [Infinity, early];
  const attempts = attemptsOf(shown);
  const spec = (title: string, max?: number): PanelSpec => ({
    title,
    x: { name: 'SFT step', ...(max === undefined ? {} : { max }) },
    y: { name: attempts === null ? 'accuracy (%)' : `${accuracyName(attempts)} (%)`, min: 0, max: 100 },
  });
  const specs = [spec('All checkpoints'), ...(early === null ? [] : [spec('The first steps', early)])];
  const names = shown.several ? ['ID, mean', 'ID, each seed', 'OOD, mean', 'OOD, each seed'] : ['ID', 'OOD'];
  const { heightPx, ...axes } = panels(
    specs,
    { columns: columnsFor(frame, 2, 420), plotHeightPx: 250, marked: !shown.several, legend: names },
    frame,
  );
  const lastX = Math.max(...seeds.flatMap(({ sft }) => sft.map(({ step }) => step)));
  const series = lastSteps.flatMap((lastStep, panel) => {
    const own = panelSeries(shown, panel, lastStep, theme);
    const marks = shown.several ? [] : curveMarks(seeds[0]!, theme).filter(({ x }) => x <= lastStep);
    return own.map((one, index) =>
      index === 0 ? { ...one, markLine: verticalMarks(marks, theme, Math.min(lastX, lastStep)) } : one,
    );
  });
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(theme, 'axis', (step) => `SFT step ${step}`),
    },
    summary: summarise(seeds),
    // Answers are kept of tasks in text.
    ...(attempts === null ? {} : { picks: seeds.flatMap((seed) => picksOf(seed, shown.several)) }),
    table: {
      columns: [
        'seed',
        'step',
        'ID correct',
        'ID n',
        'ID accuracy',
        'ID low',
        'ID high',
        'OOD correct',
        'OOD n',
        'OOD accuracy',
        'OOD low',
        'OOD high',
      ],
      rows: seeds.flatMap(({ seed, sft }) =>
        sft.map(({ step, evaluation }) => [seed, step, ...splits.flatMap((split) => scoreCells(evaluation[split]))]),
      ),
    },
  };
}

/** k, n, k/n and its 95 % Wilson interval. */
export function scoreCells({ correct, n }: { correct: number; n: number }): number[] {
  const [low, high] = wilsonInterval(correct, n);
  return [correct, n, ...[correct / n, low, high].map((share) => Number(share.toFixed(4)))];
}

const picksOf = ({ seed, sft }: SeedResult, several: boolean): FigurePick[] =>
  splits.flatMap((split) =>
    sft.map(({ step, evaluation }): FigurePick => ({
      key: pickKey({ seed, run: 'sft', step, split }),
      label: `${splitLabels[split]} at SFT step ${step}${several ? `, seed ${seed}` : ''}: ${percent(accuracy(evaluation[split]))}, its answers`,
    })),
  );

function summarise(seeds: SeedResult[]): string {
  const last = seeds.flatMap(({ sft }) => sft.slice(-1));
  const step = Math.min(...last.map((point) => point.step));
  const part = (split: Split): string =>
    `${splitLabels[split]} ${percent(mean(last.map(({ evaluation }) => accuracy(evaluation[split]))))}`;
  return `Accuracy of SFT by step up to step ${step}: ${part('inDist')}, ${part('ood')} there.`;
}
