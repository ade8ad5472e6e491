/**
 * Training loss by step, live: of the base's pretraining and of SFT, from the scalars that the runs log. The loss of the
 * batch before the step, so noisier than the held-out losses of `lossCurve`.
 */
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, still, tooltip, type TipPoint } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import type { Scalars } from './rlIterations.ts';
import { meanCurve } from './seedView.ts';

const phases = [
  { stage: 'pretrain', title: 'Pretraining of the base' },
  { stage: 'sft', title: 'SFT on ID data' },
] as const;
type Phase = (typeof phases)[number]['stage'];

interface Point {
  x: number;
  y: number;
  learningRate: number | null;
}

/** Seeds that have trained, or the chosen one of them. */
function seedsOf(scalars: Scalars, choice: number): number[] {
  const all = [...scalars.keys()].flatMap((stageId) => {
    const seed = /^seed-(\d+)\.(?:pretrain|sft)$/.exec(stageId)?.[1];
    return seed === undefined ? [] : [Number(seed)];
  });
  const seeds = [...new Set(all)].sort((a, b) => a - b);
  return seeds.includes(choice) ? [choice] : seeds;
}

function pointsOf(scalars: Scalars, seed: number, phase: Phase): Point[] {
  const steps = [...(scalars.get(`seed-${seed}.${phase}`) ?? [])].sort(([a], [b]) => a - b);
  return steps.flatMap(([x, { loss, learningRate = null }]) =>
    loss === undefined || !Number.isFinite(loss) ? [] : [{ x, y: loss, learningRate }],
  );
}

const name = 'training loss';

function lines(curves: Point[][], seeds: number[], panel: number, { theme }: ChartFrame): object[] {
  const color = theme.train;
  const tips = (points: Point[], who: string): TipPoint[] =>
    points.map(({ x, y, learningRate }) => {
      const rate = learningRate === null ? '' : `, learning rate ${decimal(learningRate)}`;
      return { value: [x, y], tip: `${name}${who}: ${decimal(y)} nats per token${rate}` };
    });
  if (seeds.length === 1) return [curve(tips(curves[0]!, ''), { name, color, panel, width: 1.4, symbol: 'none' })];
  const started = curves.filter((points) => points.length > 0);
  const averaged = meanCurve(started).map((point) => ({ ...point, learningRate: null }));
  const thin = seeds.map((seed, index) =>
    curve(tips(curves[index]!, `, seed ${seed}`), { name, color, panel, width: 1, opacity: 0.45, symbol: 'none' }),
  );
  return [curve(tips(averaged, ', mean'), { name, color, panel, width: 2.2, symbol: 'none', front: true }), ...thin];
}

/** @param choice the seed shown, or `allSeeds` */
export function training(scalars: Scalars, choice: number, frame: ChartFrame): Figure | null {
  const seeds = seedsOf(scalars, choice);
  const drawn = phases
    .map((phase) => ({ ...phase, curves: seeds.map((seed) => pointsOf(scalars, seed, phase.stage)) }))
    .filter(({ curves }) => curves.some((points) => points.length > 0));
  if (drawn.length === 0) return null;
  const specs = drawn.map(({ title }): PanelSpec => ({
    title,
    x: { name: 'step' },
    y: { name: 'loss (nats per token)', min: 0, labelWidthPx: 40 },
  }));
  const { heightPx, ...axes } = panels(specs, { columns: columnsFor(frame, 2, 300), plotHeightPx: 190 }, frame);
  const lastOf = ({ title, curves }: (typeof drawn)[number]): string => {
    const last = curves.flatMap((points) => points.slice(-1))[0]!;
    return `${title} ${decimal(last.y)} nats per token at step ${last.x}`;
  };
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: drawn.flatMap(({ curves }, panel) => lines(curves, seeds, panel, frame)),
      tooltip: tooltip(frame.theme, 'axis', (step) => `step ${step}`),
    },
    summary: `Training loss by step, seed ${seeds[0]}: ${drawn.map(lastOf).join('; ')}.`,
    table: {
      columns: ['seed', 'stage', 'step', 'training loss (nats per token)', 'learning rate'],
      rows: drawn.flatMap(({ title, curves }) =>
        curves.flatMap((points, index) =>
          points.map(({ x, y, learningRate }) => [seeds[index]!, title, x, y, learningRate]),
        ),
      ),
    },
  };
}
