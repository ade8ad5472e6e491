/** Distances between centroids of hidden states, in the full space: within a checkpoint, and from one of them. */
import type { CentroidDistance } from '../../../../main/contract/hiddenStates.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { legend, still, tooltip, whiskers, type TipPoint } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import type { StatesView } from './hiddenStates.ts';
import { splitLabels, type Split } from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];
const none: CentroidDistance = { observed: 0, distance: 0, low: 0, high: 0 };
const between = 'ID to OOD';

/** From `from` to `to` on the prompts of a split; 0 to itself. */
function distanceOf({ result }: StatesView, from: number, to: number, split: Split): CentroidDistance {
  const [a, b] = [Math.min(from, to), Math.max(from, to)];
  return result.pairs.find((pair) => pair.a === a && pair.b === b)?.[split] ?? none;
}

const text = ({ distance, low, high }: CentroidDistance): string =>
  `${decimal(distance)} (95 % CI ${decimal(low)}–${decimal(high)})`;

interface Marks {
  name: string;
  color: string;
  offsetPx: number;
  of(place: number): CentroidDistance;
}

function markSeries(labels: string[], { name, color, offsetPx, of }: Marks, panel: number): object[] {
  const distances = labels.map((label, place) => ({ label, ...of(place) }));
  const data = distances.map((one): TipPoint => ({
    value: [one.distance, one.label],
    tip: `${one.label}, ${name}: ${text(one)}`,
  }));
  const intervals = distances.map(({ label, low, high }) => ({ x: label, low, high }));
  return [
    {
      type: 'scatter',
      name,
      xAxisIndex: panel,
      yAxisIndex: panel,
      data,
      symbolSize: 9,
      symbolOffset: [0, offsetPx],
      itemStyle: { color },
      color,
      z: 5,
    },
    whiskers(intervals, name, color, panel, { horizontal: true, offsetPx }),
  ];
}

/** @param from place of the checkpoint that the right panel measures from */
export function stateDistances(view: StatesView | null, from: number, frame: ChartFrame): Figure | null {
  const reference = view?.checkpoints[from];
  if (view === null || reference === undefined) return null;
  const { theme } = frame;
  const labels = view.checkpoints.map(({ label }) => label);
  const ofSplit = (split: Split, index: number): Marks => ({
    name: splitLabels[split],
    color: theme[split],
    offsetPx: index === 0 ? -5 : 5,
    of: (place) => distanceOf(view, from, place, split),
  });
  const within: Marks = {
    name: between,
    color: theme.ink,
    offsetPx: 0,
    of: (place) => view.result.checkpoints[place]!.betweenSplits,
  };
  const panelMarks = [[within], splits.map(ofSplit)];
  const columns = columnsFor(frame, 2, 420);
  const specs = [`Between ID and OOD prompts`, `From ${reference.label}, same prompts`].map(
    (title, index): PanelSpec => ({
      title,
      x: { name: 'Distance of centroids', min: 0 },
      y: { name: '', kind: 'category', categories: labels, inverse: true, hideLabels: columns > 1 && index > 0 },
    }),
  );
  const names = [between, ...splits.map((split) => splitLabels[split])];
  const layout = {
    columns,
    plotHeightPx: 32 * labels.length + 10,
    leftPx: 120,
    innerLeftPx: columns > 1 ? 16 : 120,
    legend: names,
  };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: panelMarks.flatMap((marks, panel) => marks.flatMap((one) => markSeries(labels, one, panel))),
      legend: legend(names, frame),
      tooltip: tooltip(theme, 'item'),
    },
    summary: labels
      .map(
        (label, place) =>
          `${label}: OOD ${decimal(distanceOf(view, from, place, 'ood').distance)} from ${reference.label}`,
      )
      .join('; '),
    table: distanceTable(view, labels),
  };
}

/** Every distance there is, whichever one the figure measures from. */
function distanceTable({ result }: StatesView, labels: string[]): Figure['table'] {
  const cells = ({ distance, low, high, observed }: CentroidDistance): number[] => [distance, low, high, observed];
  return {
    columns: ['from', 'to', 'prompts', 'distance', 'low', 'high', 'distance of these centroids'],
    rows: [
      ...result.checkpoints.map(({ betweenSplits }, place) => [
        `${labels[place]}, ID`,
        `${labels[place]}, OOD`,
        'both',
        ...cells(betweenSplits),
      ]),
      ...result.pairs.flatMap((pair) =>
        splits.map((split) => [labels[pair.a]!, labels[pair.b]!, splitLabels[split], ...cells(pair[split])]),
      ),
    ],
  };
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${Number(value.toPrecision(3))}`;

/** What the paper saw, tested: "RL_End lies farther from SFT peak than SFT_End does: ...". Empty where one is absent. */
export function fartherWords({ checkpoints, result: { farther } }: StatesView): string {
  if (farther === null) return '';
  const [from, near, far] = [farther.from, farther.near, farther.far].map((place) => checkpoints[place]!.label);
  const parts = splits.map((split) => {
    const { difference, low, high } = farther[split];
    const claim = low > 0 ? 'farther' : high < 0 ? 'nearer' : 'not distinguishable';
    return `${claim} on ${splitLabels[split]} prompts (${signed(difference)}; 95 %, prompts: ${signed(low)} to ${signed(high)})`;
  });
  return `${far} against ${near}, in distance from ${from}: ${parts.join('; ')}.`;
}
