/**
 * Which layers SFT moves, step by step: gradient and update norm, stable rank, and rotation of the leading half of the
 * singular vectors away from the start. One curve a layer, from shallow to deep along the scale; of one seed, since layers
 * of different seeds have nothing in common.
 */
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, still, tooltip, type TipPoint } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import type { Scalars, StageScalars } from './rlIterations.ts';

const measures = [
  { metric: 'gradNorm', title: 'Gradient norm', unit: '', scale: 1 },
  { metric: 'updateNorm', title: 'Norm of the update', unit: '', scale: 1 },
  { metric: 'stableRank', title: 'Stable rank', unit: '', scale: 1 },
  { metric: 'rotationRad', title: 'Rotation from the start', unit: '°', scale: 180 / Math.PI },
] as const;
type Measure = (typeof measures)[number];

/** Layers that the metrics name. */
function layersOf(scalars: StageScalars): number[] {
  const found = new Set<number>();
  for (const values of scalars.values())
    for (const name of Object.keys(values)) {
      const layer = /^(?:gradNorm|stableRank)Layer(\d+)$/.exec(name)?.[1];
      if (layer !== undefined) found.add(Number(layer));
    }
  return [...found].sort((a, b) => a - b);
}

function points(scalars: StageScalars, { metric, scale }: Measure, layer: number): [number, number][] {
  return [...scalars]
    .sort(([a], [b]) => a - b)
    .flatMap(([step, values]): [number, number][] => {
      const value = values[`${metric}Layer${layer}`];
      return value === undefined || !Number.isFinite(value) ? [] : [[step, scale * value]];
    });
}

/** Colour of a layer: its depth along the sequential scale, without its palest part. */
function colorOf(layer: number, layers: number[], { theme }: ChartFrame): string {
  const colours = theme.scale.slice(2);
  const depth = layers.length === 1 ? 1 : layers.indexOf(layer) / (layers.length - 1);
  return colours[Math.round(depth * (colours.length - 1))]!;
}

/** @param seed the seed shown; its stage is `seed-<seed>.sft` */
export function layersOverTime(scalars: Scalars, seed: number, frame: ChartFrame): Figure | null {
  const ofSeed = scalars.get(`seed-${seed}.sft`) ?? new Map<number, Record<string, number>>();
  const layers = layersOf(ofSeed);
  const drawn = measures.filter((measure) => layers.some((layer) => points(ofSeed, measure, layer).length > 0));
  if (drawn.length === 0) return null;
  const specs = drawn.map(({ title, unit }): PanelSpec => ({
    title,
    x: { name: 'SFT step' },
    y: { name: unit === '' ? title.toLowerCase() : `${title.toLowerCase()} (${unit})`, scale: true, labelWidthPx: 54 },
  }));
  const { heightPx, ...axes } = panels(
    specs,
    { columns: columnsFor(frame, 4, 260), plotHeightPx: 160, leftPx: 72 },
    frame,
  );
  const series = drawn.flatMap((measure, panel) =>
    layers.map((layer) => {
      const name = `layer ${layer}`;
      const data = points(ofSeed, measure, layer).map(([x, y]): TipPoint => {
        return { value: [x, y], tip: `${name}: ${decimal(y)}${measure.unit}` };
      });
      const symbol = data.length > 60 ? 'none' : 'circle';
      return curve(data, { name, color: colorOf(layer, layers, frame), panel, width: 1.5, symbol });
    }),
  );
  const last = (measure: Measure): string => {
    const ends = layers.flatMap((layer) =>
      points(ofSeed, measure, layer)
        .slice(-1)
        .map(([, y]) => y),
    );
    return `${measure.title.toLowerCase()} ${decimal(Math.min(...ends))} to ${decimal(Math.max(...ends))}${measure.unit}`;
  };
  return {
    heightPx,
    option: { ...still, ...axes, series, tooltip: tooltip(frame.theme, 'axis', (step) => `step ${step}`) },
    summary: `Seed ${seed}, ${layers.length} layers, at the last step: ${drawn.map(last).join('; ')}.`,
    table: {
      columns: ['seed', 'layer', 'quantity', 'step', 'value'],
      rows: drawn.flatMap((measure) =>
        layers.flatMap((layer) =>
          points(ofSeed, measure, layer).map(([step, value]) => [seed, layer, measure.title, step, value]),
        ),
      ),
    },
  };
}
