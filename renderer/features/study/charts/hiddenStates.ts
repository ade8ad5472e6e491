/**
 * Hidden states of the last prompt token (the paper's Figure 15): a panel a split and checkpoint. The panels of a split share
 * one basis and one pair of axes. Small: prompts; large: their centroid; hollow: the centroids of the other checkpoints.
 */
import type { HiddenStatesResult, StateCheckpoint } from '../../../../main/contract/hiddenStates.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { still, tooltip, type TipPoint } from '../../../figures/marks.ts';
import { panels, roundStep, type PanelSpec } from '../../../figures/panels.ts';
import { decimal, percent } from '../../../figures/quantities.ts';
import { mean, splitLabels, type Split } from './seedView.ts';

export interface StatesView {
  checkpoints: StateCheckpoint[];
  result: HiddenStatesResult;
}
type Point = [number, number];

const splits: Split[] = ['inDist', 'ood'];
/** In one row only where each has as much; else one row a checkpoint. */
const panelPx = 186;
/** Marks that a page draws without delay; of more, each panel shows its first prompts. */
const mostMarks = 6000;

interface Cell {
  split: Split;
  place: number;
}

const centroid = (points: Point[]): Point => [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];

/** Whole range along one component, rounded outwards. */
function range(values: number[]): { min: number; max: number; step: number } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = roundStep(high > low ? high - low : 1);
  const at = (value: number): number => Number((step * value).toPrecision(6));
  return { min: at(Math.floor(low / step)), max: at(Math.ceil(high / step)), step };
}

export const shownPrompts = ({ checkpoints, result }: StatesView): number =>
  Math.min(result.prompts, Math.floor(mostMarks / (2 * checkpoints.length)));

function panelSeries(view: StatesView, { split, place }: Cell, panel: number, { theme }: ChartFrame): object[] {
  const { checkpoints, result } = view;
  const color = theme[split];
  const axes = { type: 'scatter', xAxisIndex: panel, yAxisIndex: panel };
  const pointsAt = (at: number): Point[] => result.checkpoints[at]!.points[split];
  const prompts = pointsAt(place)
    .slice(0, shownPrompts(view))
    .map((value, i): TipPoint => ({ value, tip: `prompt ${i + 1}` }));
  const centroids = checkpoints.map(({ label }, at): TipPoint => {
    const value = centroid(pointsAt(at));
    return { value, tip: `centroid of ${label}: ${value.map(decimal).join(', ')}` };
  });
  const hollow = { color: 'transparent', borderColor: theme.ink, borderWidth: 1.2, opacity: 0.75 };
  const filled = { color, borderColor: theme.ink, borderWidth: 1.6 };
  return [
    { ...axes, data: prompts, symbolSize: 4, itemStyle: { color, opacity: 0.32 }, z: 2 },
    { ...axes, data: centroids.filter((_, at) => at !== place), symbolSize: 7, itemStyle: hollow, z: 3 },
    { ...axes, data: [centroids[place]], symbolSize: 12, itemStyle: filled, z: 4 },
  ];
}

export function hiddenStates(view: StatesView | null, frame: ChartFrame): Figure | null {
  if (view === null) return null;
  const { checkpoints, result } = view;
  const inRow = frame.widthPx / checkpoints.length >= panelPx;
  const columns = inRow ? checkpoints.length : splits.length;
  const places = checkpoints.map((_, place) => place);
  const cells = inRow
    ? splits.flatMap((split) => places.map((place): Cell => ({ split, place })))
    : places.flatMap((place) => splits.map((split): Cell => ({ split, place })));
  const axes = { inDist: axesOf(result, 'inDist'), ood: axesOf(result, 'ood') };
  const specs = cells.map(({ split, place }, index): PanelSpec => {
    const { x, y } = axes[split];
    const shared = inRow && index % columns > 0;
    return {
      title: `${splitLabels[split]} · ${checkpoints[place]!.label}`,
      x,
      y: { ...y, hideLabels: shared, name: shared ? '' : y.name },
    };
  });
  const layout = { columns, plotHeightPx: 168, leftPx: 56, innerLeftPx: inRow ? 8 : 56 };
  const { heightPx, ...drawn } = panels(specs, layout, frame);
  return {
    heightPx,
    option: {
      ...still,
      ...drawn,
      series: cells.flatMap((cell, panel) => panelSeries(view, cell, panel, frame)),
      tooltip: tooltip(frame.theme, 'item'),
    },
    summary: `${result.prompts} ID and ${result.prompts} OOD prompts at ${checkpoints.map(({ label }) => label).join(', ')}. Two components hold ${percent(total(result, 'inDist'))} (ID) and ${percent(total(result, 'ood'))} (OOD) of the variance.`,
    table: {
      columns: ['checkpoint', 'split', 'prompt', 'PC 1', 'PC 2'],
      rows: cells.flatMap(({ split, place }) =>
        result.checkpoints[place]!.points[split].map(([x, y], i) => {
          return [checkpoints[place]!.label, splitLabels[split], i + 1, x, y];
        }),
      ),
    },
  };
}

const total = ({ explained }: HiddenStatesResult, split: Split): number => explained[split][0] + explained[split][1];

function axesOf({ checkpoints, explained }: HiddenStatesResult, split: Split): Pick<PanelSpec, 'x' | 'y'> {
  const all = checkpoints.flatMap(({ points }) => points[split]);
  const name = (k: 0 | 1): string => `PC ${k + 1} (${percent(explained[split][k])})`;
  return {
    x: { name: name(0), ...range(all.map(([x]) => x)) },
    y: { name: name(1), ...range(all.map(([, y]) => y)) },
  };
}
