/**
 * RL from one start, iteration by iteration and arm by arm: accuracy at the evaluated iterations, and the scalars that
 * PPO logs (reward beside success rate: reward hacking lifts only the first; entropy, KL to the anchor, clip fraction, explained variance), in small multiples.
 */
import { rlArmLabels, rlArms, type RlArm } from '../../../../main/contract/settings.ts';
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure, FigurePick } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import { openPoints, pickKey, rlRun } from './pickedCheckpoint.ts';
import { accuracy, attemptsOf, meanCurve, splitLabels, type SeedView, type Series, type Split } from './seedView.ts';

/** Scalars of one stage: iteration -> name -> value. */
export type StageScalars = ReadonlyMap<number, Record<string, number>>;
/** Scalars by stage id, as the engine names the stages. */
export type Scalars = ReadonlyMap<string, StageScalars>;

interface Measure {
  title: string;
  unit: string;
  /** Metric of the run; the accuracies come from its evaluations. */
  metric: string;
  digits?: number;
}

const measures: Measure[] = [
  { title: 'OOD accuracy', unit: '%', metric: 'ood' },
  { title: 'ID accuracy', unit: '%', metric: 'inDist' },
  { title: 'Mean reward', unit: 'per answer', metric: 'reward' },
  { title: 'Success rate', unit: 'share of ID rollouts', metric: 'successRate' },
  { title: 'Policy entropy', unit: 'nats', metric: 'entropy' },
  { title: 'KL(base || policy)', unit: 'nats', metric: 'anchorKl' },
  { title: 'Clip fraction', unit: 'share', metric: 'clipFraction' },
  { title: 'Explained variance', unit: 'share', metric: 'explainedVariance' },
];

/** Steps that RL has started from, ascending. */
export const startsOf = ({ seeds }: SeedView): number[] =>
  [...new Set(seeds.flatMap(({ rl }) => rl.map(({ startStep }) => startStep)))].sort((a, b) => a - b);

/** The scalars of a run: the peak is a start of its own, unless its step is one too. */
function scalarsOf(scalars: Scalars, { seed, peakStep }: SeedResult, arm: RlArm, start: number): StageScalars {
  const named = start === peakStep ? scalars.get(`seed-${seed}.rl-${arm}-peak`) : undefined;
  return scalars.get(`seed-${seed}.rl-${arm}-${start}`) ?? named ?? new Map<number, Record<string, number>>();
}

type Start = number | 'end';
function curveOf(
  { seeds }: SeedView,
  index: number,
  arm: RlArm,
  metric: string,
  scalars: Scalars,
  at: Start,
): Series[] {
  const seed = seeds[index]!;
  const start = at === 'end' ? seed.endStep : at;
  if (metric === 'ood' || metric === 'inDist') {
    const run = seed.rl.find((one) => one.arm === arm && one.startStep === start);
    return (run?.checkpoints ?? []).map(({ iteration, evaluation }) => ({
      x: iteration,
      y: 100 * accuracy(evaluation[metric]),
    }));
  }
  return [...scalarsOf(scalars, seed, arm, start)].flatMap(([x, values]) => {
    const y = values[metric];
    return y === undefined || !Number.isFinite(y) ? [] : [{ x, y }];
  });
}

function measureSeries(
  view: SeedView,
  measure: Measure,
  panel: number,
  scalars: Scalars,
  start: Start,
  { theme }: ChartFrame,
) {
  return rlArms.flatMap((arm) => {
    const name = rlArmLabels[arm];
    const color = theme.arms[arm];
    const curves = view.seeds.map((_, index) => curveOf(view, index, arm, measure.metric, scalars, start));
    const evaluated = measure.unit === '%';
    const points = (line: Series[], who: string, key?: (iteration: number) => string) =>
      line.map(({ x, y }) => {
        const point = { value: [x, y], tip: `${name}${who}: ${decimal(y)} ${measure.unit}` };
        return key === undefined ? point : { ...point, key: key(x) };
      });
    const symbol = evaluated ? 'circle' : 'none';
    const isOpen = evaluated && attemptsOf(view) !== null;
    const keyOf = (seed: SeedResult | undefined) =>
      isOpen && seed !== undefined ? (at: number) => keyAt(seed, arm, start, at, measure.metric as Split) : undefined;
    if (!view.several)
      return [curve(points(curves[0] ?? [], '', keyOf(view.seeds[0])), { name, color, panel, symbol })];
    const look = { name, color, panel, width: 1, opacity: 0.4, ...(isOpen ? openPoints : { symbol: 'none' as const }) };
    const thin = view.seeds.map((seed, index) =>
      curve(points(curves[index]!, `, seed ${seed.seed}`, keyOf(seed)), look),
    );
    const started = curves.filter((line) => line.length > 0);
    // Clicks go through to the points of the seeds.
    const front = { width: 2.6, front: true, extra: { silent: true } };
    return [curve(points(meanCurve(started), ', mean'), { name, color, panel, symbol, ...front }), ...thin];
  });
}

/** Of the checkpoint at an iteration. */
const keyAt = ({ seed, endStep }: SeedResult, arm: RlArm, start: Start, step: number, split: Split): string =>
  pickKey({ seed, run: rlRun(arm, start === 'end' ? endStep : start), step, split });

/** Answers that can be read: of tasks in text, at the evaluated iterations. */
function picksOf(view: SeedView, scalars: Scalars, start: Start): FigurePick[] {
  if (attemptsOf(view) === null) return [];
  const splits: Split[] = ['ood', 'inDist'];
  return splits.flatMap((split) =>
    rlArms.flatMap((arm) =>
      view.seeds.flatMap((seed, index) =>
        curveOf(view, index, arm, split, scalars, start).map(({ x, y }) => ({
          key: keyAt(seed, arm, start, x, split),
          label: `${splitLabels[split]} at iteration ${x} of ${rlArmLabels[arm]}${view.several ? `, seed ${seed.seed}` : ''}: ${decimal(y)} %, its answers`,
        })),
      ),
    ),
  );
}

/** @param start the SFT step that RL started from; `end`: SFT_End of each seed */
export function rlIterations(view: SeedView, scalars: Scalars, frame: ChartFrame, start: Start = 'end'): Figure | null {
  const { seeds } = view;
  const drawn = (metric: string): boolean =>
    seeds.some((_, index) => rlArms.some((arm) => curveOf(view, index, arm, metric, scalars, start).length > 0));
  const present = measures.filter(({ metric }) => drawn(metric));
  if (present.length === 0) return null;
  const specs = present.map(({ title, unit }): PanelSpec => ({
    title,
    x: { name: 'PPO iteration' },
    y: { name: unit, scale: unit !== '%', labelWidthPx: 46 },
  }));
  const hasRun = (arm: RlArm): boolean =>
    present.some(({ metric }) =>
      seeds.some((_, index) => curveOf(view, index, arm, metric, scalars, start).length > 0),
    );
  const names = rlArms.filter(hasRun).map((arm) => rlArmLabels[arm]);
  const layout = { columns: columnsFor(frame, 4, 250), plotHeightPx: 150, leftPx: 64, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = present.flatMap((measure, panel) => measureSeries(view, measure, panel, scalars, start, frame));
  const rows = seeds.flatMap(({ seed }, index) =>
    rlArms.flatMap((arm) => {
      const columns = present.map(
        ({ metric }) => new Map(curveOf(view, index, arm, metric, scalars, start).map(({ x, y }) => [x, y])),
      );
      const iterations = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
      return iterations.map((at) => [seed, rlArmLabels[arm], at, ...columns.map((column) => column.get(at) ?? null)]);
    }),
  );
  const picks = picksOf(view, scalars, start);
  return {
    heightPx,
    ...(picks.length > 0 && { picks }),
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (at) => `PPO iteration ${at}`),
    },
    summary: `RL from ${start === 'end' ? 'SFT_End' : `SFT step ${start}`} by iteration: ${present.map(({ title }) => title.toLowerCase()).join(', ')}; one colour an arm.`,
    table: { columns: ['seed', 'arm', 'iteration', ...present.map(({ title, unit }) => `${title} (${unit})`)], rows },
  };
}
