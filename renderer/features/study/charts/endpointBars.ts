/**
 * ID and OOD accuracy at the SFT peak, SFT_End, the last SFT checkpoint and at the end of RL from SFT_End, arm by arm
 * (the paper's Figures 1 and 9). One seed: 95 % Wilson intervals; several: the mean, and each seed as a dot.
 */
import { rlArmLabels, rlArms } from '../../../../main/contract/settings.ts';
import type { Evaluation } from '../../../../main/contract/evaluation.ts';
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { still, tooltip, whiskers } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { scoreCells } from './accuracyCurve.ts';
import {
  accuracy,
  lastEvaluation,
  mean,
  namedEvaluation,
  penalisedEnd,
  splitLabels,
  type SeedView,
  type Split,
} from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];

interface Bar {
  label: string;
  color: string;
  of(seed: SeedResult): Evaluation | null;
}

function bars(theme: ChartTheme): Bar[] {
  const { checkpoints, arms } = theme;
  return [
    { label: 'SFT peak', color: checkpoints.peak, of: (seed) => namedEvaluation(seed, 'peak') },
    { label: 'SFT_End', color: checkpoints.end, of: (seed) => namedEvaluation(seed, 'end') },
    { label: 'last SFT', color: checkpoints.last, of: (seed) => namedEvaluation(seed, 'last') },
    { label: 'SFT with rotation penalty', color: theme.penalised, of: penalisedEnd },
    ...rlArms.map((arm): Bar => ({
      label: `RL_End, ${rlArmLabels[arm]}`,
      color: arms[arm],
      of: (seed) => {
        const run = seed.rl.find((one) => one.arm === arm && one.startStep === seed.endStep);
        return run !== undefined && run.checkpoints.length > 1 ? lastEvaluation(run) : null;
      },
    })),
  ];
}

interface Measured {
  bar: Bar;
  scores: { seed: number; evaluation: Evaluation }[];
}

function panelSeries(measured: Measured[], split: Split, panel: number, several: boolean, theme: ChartTheme): object[] {
  const axes = { xAxisIndex: panel, yAxisIndex: panel };
  const values = measured.map(({ bar, scores }) => {
    const share = mean(scores.map(({ evaluation }) => accuracy(evaluation[split])));
    const only = scores[0]!.evaluation[split];
    const text = several
      ? `mean of ${scores.length} seeds ${percent(share)}`
      : percentWithInterval(only.correct, only.n);
    return {
      value: [100 * share, bar.label],
      tip: `${bar.label}, ${splitLabels[split]}: ${text}`,
      itemStyle: { color: bar.color },
    };
  });
  const bar = { type: 'bar', ...axes, data: values, barWidth: '58%', label: { show: false } };
  if (!several) {
    const intervals = measured.map(({ bar: { label }, scores }) => {
      const { correct, n } = scores[0]!.evaluation[split];
      const [low, high] = wilsonInterval(correct, n);
      return { x: label, low: 100 * low, high: 100 * high };
    });
    return [bar, whiskers(intervals, 'interval', theme.ink, panel, { horizontal: true, halo: theme.surface })];
  }
  const dots = measured.flatMap(({ bar: { label }, scores }) =>
    scores.map(({ seed, evaluation }) => ({
      value: [100 * accuracy(evaluation[split]), label],
      tip: `${label}, seed ${seed}: ${percentWithInterval(evaluation[split].correct, evaluation[split].n)}`,
    })),
  );
  const style = { color: theme.surface, borderColor: theme.rule, borderWidth: 1.5 };
  return [bar, { type: 'scatter', ...axes, data: dots, symbolSize: 8, itemStyle: style, z: 5 }];
}

export function endpointBars({ seeds, several }: SeedView, frame: ChartFrame): Figure | null {
  const measured = bars(frame.theme)
    .map((bar) => ({
      bar,
      scores: seeds.flatMap((seed) => {
        const evaluation = bar.of(seed);
        return evaluation === null ? [] : [{ seed: seed.seed, evaluation }];
      }),
    }))
    .filter(({ scores }) => scores.length > 0);
  if (measured.length === 0) return null;
  const columns = columnsFor(frame, 2, 420);
  const categories = measured.map(({ bar }) => bar.label);
  const specs = splits.map((split, index): PanelSpec => ({
    title: `${splitLabels[split]} accuracy`,
    x: { name: `${splitLabels[split]} accuracy (%)`, min: 0, ...(split === 'inDist' ? { max: 100 } : {}) },
    y: { name: '', kind: 'category', categories, inverse: true, hideLabels: columns > 1 && index > 0 },
  }));
  const layout = {
    columns,
    plotHeightPx: 34 * measured.length + 10,
    leftPx: 196,
    innerLeftPx: columns > 1 ? 16 : 196,
  };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: splits.flatMap((split, panel) => panelSeries(measured, split, panel, several, frame.theme)),
      tooltip: tooltip(frame.theme, 'item'),
    },
    summary: measured
      .map(({ bar, scores }) => `${bar.label}: OOD ${percent(mean(scores.map((one) => accuracy(one.evaluation.ood))))}`)
      .join('; '),
    table: {
      columns: ['checkpoint', 'seed', 'split', 'correct', 'n', 'accuracy', 'low', 'high'],
      rows: measured.flatMap(({ bar, scores }) =>
        scores.flatMap(({ seed, evaluation }) =>
          splits.map((split) => [bar.label, seed, splitLabels[split], ...scoreCells(evaluation[split])]),
        ),
      ),
    },
  };
}
