/**
 * Reversion of singular values, singular vectors and both, of one stage (the paper's Figures 4-7, whole model), beside
 * what each has to be compared with: its scrambled controls (mean and range), the two doses (one edit at the size of
 * the other), the reference's and the target's own accuracy, and the size of the change.
 */
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { legend, still, tooltip, whiskers } from '../../../figures/marks.ts';
import { columnsFor, panels, roundStep, type AxisSpec, type PanelSpec } from '../../../figures/panels.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { scoreCells } from './accuracyCurve.ts';
import {
  checkpointLabels,
  controlsOf,
  extent,
  ownAccuracies,
  pointsOf,
  rows,
  type OwnAccuracy,
  type ReversionStage,
  type RowData,
} from './reversionRows.ts';
import { accuracy, mean, splitLabels, type SeedView, type Split } from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];
const controlName = 'scrambled controls: range and mean';
const [editName, meanEditName] = ['edit, 95 % CI', 'edit, mean over seeds'];
const doseName = 'dose: the edit scaled to the other one';

function ownLines(own: OwnAccuracy[], [low, high]: [number, number, number], theme: ChartTheme): object {
  const data = own.map(({ name, isTarget, accuracy: at }) => ({
    xAxis: at,
    lineStyle: {
      color: isTarget ? theme.checkpoints.end : theme.checkpoints.peak,
      type: isTarget ? 'solid' : 'dashed',
      width: 1.4,
    },
    label: {
      formatter: `${checkpointLabels[name]} ${at.toFixed(1)} %`,
      // The category axis runs downwards: its start is the top.
      position: 'start',
      distance: [0, isTarget ? 2 : 16],
      align: at < (low + high) / 2 ? 'left' : 'right',
      color: theme.ink,
      fontSize: 11,
    },
  }));
  return { symbol: 'none', silent: true, animation: false, data };
}

function editSeries(data: RowData[], split: Split, panel: number, several: boolean, theme: ChartTheme, own: object) {
  const dots = (dose: boolean): object[] =>
    data
      .filter(({ row }) => row.dose === dose)
      .map(({ row, perSeed }) => {
        const share = mean(perSeed.map(({ point }) => accuracy(point.evaluation[split])));
        const score = perSeed[0]!.point.evaluation[split];
        const text = several
          ? `mean of ${perSeed.length} seeds ${percent(share)}`
          : percentWithInterval(score.correct, score.n);
        const size = percent(mean(perSeed.map(({ point }) => point.relativeChange)), 3);
        return {
          value: [100 * share, row.label],
          tip: `${row.label}, ${splitLabels[split]}: ${text}\nchange of the edited matrices: ${size}`,
          itemStyle: { color: theme.edits[row.edit] },
        };
      });
  const axes = { xAxisIndex: panel, yAxisIndex: panel };
  const series: object[] = [
    {
      type: 'scatter',
      name: several ? meanEditName : editName,
      ...axes,
      data: dots(false),
      symbolSize: 12,
      z: 6,
      markLine: own,
      color: theme.ink,
    },
    {
      type: 'scatter',
      name: doseName,
      ...axes,
      data: dots(true),
      symbol: 'diamond',
      symbolSize: 13,
      z: 6,
      color: theme.muted,
    },
  ];
  if (several) {
    const each = data.flatMap(({ row, perSeed }) =>
      perSeed.map(({ seed, point }) => {
        const { correct, n } = point.evaluation[split];
        const tip = `${row.label}, seed ${seed.seed}: ${percentWithInterval(correct, n)}`;
        return { value: [(100 * correct) / n, row.label], tip };
      }),
    );
    const itemStyle = { color: theme.surface, borderColor: theme.muted, borderWidth: 1.3 };
    series.push({
      type: 'scatter',
      name: 'each seed',
      ...axes,
      data: each,
      symbolSize: 6,
      itemStyle,
      color: theme.muted,
      z: 5,
    });
    return series;
  }
  const intervals = data.map(({ row, perSeed }) => {
    const { correct, n } = perSeed[0]!.point.evaluation[split];
    const [low, high] = wilsonInterval(correct, n);
    return { x: row.label, low: 100 * low, high: 100 * high };
  });
  series.push(whiskers(intervals, editName, theme.ink, panel, { horizontal: true }));
  return series;
}

/**
 * A range and a mean of the replicates, never one pooled interval. With several seeds the mean of each seed's range: a
 * range over all of them would hold the distance between the seeds, and hide an edit that is beyond it in every seed.
 */
function controlSeries(
  data: RowData[],
  stage: ReversionStage,
  split: Split,
  panel: number,
  theme: ChartTheme,
): object[] {
  const ranges = data.flatMap(({ row, perSeed }) => {
    const bySeed = row.dose ? [] : perSeed.map(({ seed }) => controlsOf(seed, stage, row.edit, split));
    const known = bySeed.filter((shares) => shares.length > 0);
    if (known.length === 0) return [];
    const [low, high, middle] = [
      mean(known.map((shares) => Math.min(...shares))),
      mean(known.map((shares) => Math.max(...shares))),
      mean(known.map(mean)),
    ];
    return [{ x: row.label, low, high, middle, models: known.flat().length, seeds: known.length }];
  });
  const offsetPx = 12;
  const intervals = ranges.map(({ x, low, high }) => ({ x, low: 100 * low, high: 100 * high }));
  const means = ranges.map(({ x, low, high, middle, models, seeds }) => ({
    value: [100 * middle, x],
    tip:
      `scrambled controls of ${x}, ${splitLabels[split]}: mean ${percent(middle)}, ` +
      `range ${percent(low)} to ${percent(high)}, ${models} models${seeds > 1 ? `, averaged over ${seeds} seeds` : ''}`,
  }));
  return [
    whiskers(intervals, controlName, theme.neutral, panel, { horizontal: true, width: 3, offsetPx }),
    {
      type: 'scatter',
      name: controlName,
      xAxisIndex: panel,
      yAxisIndex: panel,
      data: means,
      symbol: 'rect',
      symbolSize: [5, 11],
      symbolOffset: [0, offsetPx],
      itemStyle: { color: theme.neutral },
      color: theme.neutral,
      z: 5,
    },
  ];
}

function sizeSeries(data: RowData[], panel: number, theme: ChartTheme): object {
  return {
    type: 'bar',
    name: 'size of the change',
    xAxisIndex: panel,
    yAxisIndex: panel,
    barWidth: 12,
    data: data.map(({ row, perSeed }) => {
      const share = mean(perSeed.map(({ point }) => point.relativeChange));
      return {
        value: [100 * share, row.label],
        tip: `${row.label}: ||W' - W|| / ||W|| = ${percent(share, 3)}`,
        itemStyle: { color: theme.edits[row.edit], opacity: row.dose ? 0.55 : 1 },
      };
    }),
    label: {
      show: true,
      position: 'right',
      // Else the paler bars of the doses would pale their numbers too.
      opacity: 1,
      formatter: ({ value }: { value: [number] }) => `${value[0].toFixed(2)} %`,
      color: theme.ink,
      fontSize: 11,
    },
  };
}

export function reversions(view: SeedView, stage: ReversionStage, frame: ChartFrame): Figure | null {
  const { theme } = frame;
  const data = rows
    .map((row) => ({
      row,
      perSeed: view.seeds.flatMap((seed) =>
        pointsOf(seed, stage, row)
          .slice(0, 1)
          .map((point) => ({ seed, point })),
      ),
    }))
    .filter(({ perSeed }) => perSeed.length > 0);
  if (data.length === 0) return null;
  const columns = columnsFor(frame, 3, 310);
  const categories = data.map(({ row }) => row.label);
  const largest =
    100 * Math.max(1e-6, ...data.flatMap(({ perSeed }) => perSeed.map(({ point }) => point.relativeChange)));
  const sizeStep = roundStep(1.25 * largest);
  const own = splits.map((split) => ownAccuracies(view.seeds, stage, split));
  const extents = splits.map((split, index) => extent(data, stage, split, own[index]!));
  const y = (index: number): AxisSpec => {
    return { name: '', kind: 'category', categories, inverse: true, hideLabels: index % columns > 0 };
  };
  const specs: PanelSpec[] = [
    ...splits.map((split, index): PanelSpec => {
      const [min, max, step] = extents[index]!;
      const name = `${splitLabels[split]} accuracy (%)`;
      return { title: `${splitLabels[split]} accuracy after the edit`, x: { name, min, max, step }, y: y(index) };
    }),
    {
      title: 'Size of the change',
      x: {
        name: "||W' - W|| / ||W|| (%)",
        min: 0,
        max: sizeStep * Math.ceil((1.25 * largest) / sizeStep),
        step: sizeStep,
      },
      y: y(splits.length),
    },
  ];
  const several = view.several;
  const names = [...(several ? [meanEditName, doseName, 'each seed'] : [editName, doseName]), controlName];
  const plotHeightPx = 44 * data.length + 8;
  const layout = { columns, plotHeightPx, leftPx: 172, innerLeftPx: 14, marked: true, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = splits.flatMap((split, panel) => [
    ...controlSeries(data, stage, split, panel, theme),
    ...editSeries(data, split, panel, several, theme, ownLines(own[panel]!, extents[panel]!, theme)),
  ]);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: [...series, sizeSeries(data, splits.length, theme)],
      legend: legend(names, frame),
      tooltip: tooltip(theme, 'item'),
    },
    summary: data
      .map(
        ({ row, perSeed }) =>
          `${row.label}: OOD ${percent(mean(perSeed.map(({ point }) => accuracy(point.evaluation.ood))))}`,
      )
      .join('; '),
    table: {
      columns: [
        'seed',
        'edit',
        'control',
        'replicate',
        'relative change',
        'split',
        'correct',
        'n',
        'accuracy',
        'low',
        'high',
      ],
      rows: view.seeds.flatMap(({ seed, ablations }) =>
        ablations
          .filter((point) => point.stage === stage && point.edit !== 'interpolation')
          .flatMap((point) =>
            splits.map((split) => [
              seed,
              point.edit,
              point.control ?? null,
              point.replicate ?? null,
              point.relativeChange,
              splitLabels[split],
              ...scoreCells(point.evaluation[split]),
            ]),
          ),
      ),
    },
  };
}
