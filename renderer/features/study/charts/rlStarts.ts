/**
 * ID and OOD accuracy before and after RL, by the SFT step that RL started from (the paper's Figures 3 and 10), with
 * the observed recovery window shaded. The main arm runs from every start; the others stand beside it at SFT_End.
 */
import { rlArmLabels, rlArms, type RlArm } from '../../../../main/contract/settings.ts';
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure, FigurePick } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip, whiskers, type IntervalPoint, type TipPoint } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { scoreCells } from './accuracyCurve.ts';
import { openPoints, pickKey, rlRun } from './pickedCheckpoint.ts';
import {
  lastEvaluation,
  accuracy,
  attemptsOf,
  mainArm,
  mean,
  splitLabels,
  type RlRun,
  type SeedView,
  type Split,
} from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];
const beforeLabel = 'before RL (SFT)';

interface BeforeAfter {
  run: RlRun;
  before: RlRun['checkpoints'][number]['evaluation'];
  after: RlRun['checkpoints'][number]['evaluation'];
}

/** Runs whose start and last checkpoint are known, in order of their start. */
export function beforeAfter(seed: SeedResult, arm: RlArm): BeforeAfter[] {
  return seed.rl
    .filter((run) => run.arm === arm && run.checkpoints.length > 1)
    .map((run) => ({ run, before: run.checkpoints[0]!.evaluation, after: lastEvaluation(run)! }))
    .sort((a, b) => a.run.startStep - b.run.startStep);
}

type When = 'before' | 'after';

/** Before RL is its first checkpoint. */
function keyOf(seed: number, { run }: BeforeAfter, when: When, split: Split): string {
  const { iteration } = run.checkpoints[when === 'before' ? 0 : run.checkpoints.length - 1]!;
  return pickKey({ seed, run: rlRun(run.arm, run.startStep), step: iteration, split });
}

function points(seed: number, pairs: BeforeAfter[], when: When, split: Split, label: string): TipPoint[] {
  return pairs.map((pair) => {
    const { correct, n } = pair[when][split];
    const tip = `${label}: ${percentWithInterval(correct, n)}`;
    return { value: [pair.run.startStep, (100 * correct) / n], tip, key: keyOf(seed, pair, when, split) };
  });
}

/** Answers that can be read, of tasks in text: of the other arms after RL, where they are drawn. */
function picksOf(view: SeedView, arms: readonly RlArm[], main: RlArm): FigurePick[] {
  if (attemptsOf(view) === null) return [];
  return splits.flatMap((split) =>
    view.seeds.flatMap(({ seed, ...result }) =>
      arms.flatMap((arm) =>
        beforeAfter({ seed, ...result }, arm).flatMap((pair) =>
          (arm === main ? (['before', 'after'] as const) : (['after'] as const)).map((when) => ({
            key: keyOf(seed, pair, when, split),
            label: `${splitLabels[split]} ${when} RL from step ${pair.run.startStep}, ${rlArmLabels[arm]}${view.several ? `, seed ${seed}` : ''}: ${percent(accuracy(pair[when][split]))}, its answers`,
          })),
        ),
      ),
    ),
  );
}

/** From the crossings where known, else from the first to the last start point. */
export function recoveryWindow(seed: SeedResult): [number, number] | null {
  const window = seed.verdicts?.recoveryWindow.point;
  if (window === undefined || window.starts.length === 0) return null;
  const [low, high] = [Math.min(...window.starts), Math.max(...window.starts)];
  const lower = window.crossings.filter((at) => at <= low);
  const upper = window.crossings.filter((at) => at >= high);
  return [lower.length > 0 ? Math.max(...lower) : low, upper.length > 0 ? Math.min(...upper) : high];
}

/** 95 % Wilson intervals after RL, percent. */
function intervalsAfter(runs: BeforeAfter[], split: Split): IntervalPoint[] {
  return runs.map(({ run, after }) => {
    const [low, high] = wilsonInterval(after[split].correct, after[split].n);
    return { x: run.startStep, low: 100 * low, high: 100 * high };
  });
}

/** Mean over the seeds of each planned start. The peak is a start of its own, at another step in every seed. */
function meanByStart(seeds: SeedResult[], runs: BeforeAfter[][], when: When, split: Split) {
  const startOf = (pair: BeforeAfter, seed: SeedResult): string =>
    pair.run.startStep === seed.peakStep ? 'the peak' : `step ${pair.run.startStep}`;
  const starts = new Set(runs.flatMap((pairs, index) => pairs.map((pair) => startOf(pair, seeds[index]!))));
  const points = [...starts].flatMap((start) => {
    const pairs = runs.flatMap((own, index) => own.filter((pair) => startOf(pair, seeds[index]!) === start));
    if (pairs.length < seeds.length) return [];
    const x = mean(pairs.map(({ run }) => run.startStep));
    return [{ start, x, y: 100 * mean(pairs.map((pair) => accuracy(pair[when][split]))) }];
  });
  return points.sort((a, b) => a.x - b.x);
}

function mainLines(view: SeedView, arm: RlArm, split: Split, panel: number, { theme }: ChartFrame): object[] {
  const runs = view.seeds.map((seed) => beforeAfter(seed, arm));
  const color = theme.arms[arm];
  const label = rlArmLabels[arm];
  const before = { name: beforeLabel, color: theme.neutral, panel, dashed: true, symbol: 'emptyCircle' } as const;
  const after = { name: label, color, panel, symbol: 'circle' } as const;
  const of = (index: number, when: When): TipPoint[] => {
    const who = view.several ? `, seed ${view.seeds[index]!.seed}` : '';
    return points(view.seeds[index]!.seed, runs[index]!, when, split, (when === 'before' ? beforeLabel : label) + who);
  };
  if (!view.several) {
    const window = split === 'ood' ? recoveryWindow(view.seeds[0]!) : null;
    const markArea = {
      silent: true,
      itemStyle: { color: theme.shade },
      label: { color: theme.muted, fontSize: 11, position: 'insideTop' },
      data: window === null ? [] : [[{ xAxis: window[0], name: 'observed recovery' }, { xAxis: window[1] }]],
    };
    return [
      curve(of(0, 'before'), { ...before, extra: { markArea } }),
      curve(of(0, 'after'), { ...after, width: 2.4 }),
      whiskers(intervalsAfter(runs[0]!, split), label, color, panel),
    ];
  }
  const isOpen = attemptsOf(view) !== null;
  const thin = { width: 1, opacity: 0.5, ...(isOpen ? openPoints : { symbol: 'none' as const }) };
  const eachSeed = view.seeds.flatMap((_, index) => [
    curve(of(index, 'before'), { ...before, ...thin }),
    curve(of(index, 'after'), { ...after, ...thin }),
  ]);
  const means = (when: When, name: string): TipPoint[] =>
    meanByStart(view.seeds, runs, when, split).map(({ x, y, start }) => ({
      value: [x, y],
      tip: `${name}, mean over seeds from ${start}: ${y.toFixed(1)} %`,
    }));
  return [
    curve(means('before', beforeLabel), { ...before, width: 2.4, front: true }),
    curve(means('after', label), { ...after, width: 3, front: true }),
    ...eachSeed,
  ];
}

function controlPoints(
  view: SeedView,
  arm: RlArm,
  split: Split,
  panel: number,
  shiftPx: number,
  { theme }: ChartFrame,
) {
  const label = rlArmLabels[arm];
  const data = view.seeds.flatMap((seed) => {
    const who = view.several ? `, seed ${seed.seed}` : '';
    return points(seed.seed, beforeAfter(seed, arm), 'after', split, label + who);
  });
  const scatter = {
    type: 'scatter',
    name: label,
    xAxisIndex: panel,
    yAxisIndex: panel,
    data,
    symbol: arm === 'anchorOnly' ? 'triangle' : 'diamond',
    symbolSize: 11,
    symbolOffset: [shiftPx, 0],
    itemStyle: { color: theme.arms[arm] },
    color: theme.arms[arm],
  };
  if (view.several) return [scatter];
  const runs = view.seeds.flatMap((seed) => beforeAfter(seed, arm));
  const color = theme.arms[arm];
  return [scatter, whiskers(intervalsAfter(runs, split), label, color, panel, { offsetPx: shiftPx })];
}

export function rlStarts(view: SeedView, frame: ChartFrame): Figure | null {
  const seeds = view.seeds.filter(({ rl }) => rl.some(({ checkpoints }) => checkpoints.length > 1));
  if (seeds.length === 0) return null;
  const shown: SeedView = { seeds, several: seeds.length > 1 };
  const specs = splits.map((split): PanelSpec => ({
    title: `${splitLabels[split]} accuracy before and after RL`,
    x: { name: 'SFT step that RL started from' },
    y: { name: `${splitLabels[split]} accuracy (%)`, min: 0, ...(split === 'inDist' ? { max: 100 } : {}) },
  }));
  const main = mainArm(shown);
  const controls = rlArms.filter((arm) => arm !== main && seeds.some((seed) => beforeAfter(seed, arm).length > 0));
  const arms: RlArm[] = [main, ...controls];
  const names = [beforeLabel, ...arms.map((arm) => rlArmLabels[arm])];
  const layout = { columns: columnsFor(frame, 2, 380), plotHeightPx: 240, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const drawn = splits.flatMap((split, panel) => [
    ...mainLines(shown, main, split, panel, frame),
    ...controls.flatMap((arm, index) => controlPoints(shown, arm, split, panel, index === 0 ? -9 : 9, frame)),
  ]);
  const done = seeds.flatMap((seed) =>
    arms.flatMap((arm) => beforeAfter(seed, arm).map((pair) => ({ seed, ...pair }))),
  );
  const picks = picksOf(shown, arms, main);
  return {
    heightPx,
    ...(picks.length > 0 && { picks }),
    option: {
      ...still,
      ...axes,
      series: drawn,
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'item'),
    },
    summary: `Accuracy before and after RL of ${done.length} runs, by the SFT step they started from.`,
    table: {
      columns: [
        'seed',
        'arm',
        'start step',
        'split',
        'before correct',
        'before n',
        'before accuracy',
        'before low',
        'before high',
        'after correct',
        'after n',
        'after accuracy',
        'after low',
        'after high',
      ],
      rows: done.flatMap(({ seed, run, before, after }) =>
        splits.map((split) => [
          seed.seed,
          rlArmLabels[run.arm],
          run.startStep,
          splitLabels[split],
          ...scoreCells(before[split]),
          ...scoreCells(after[split]),
        ]),
      ),
    },
  };
}
