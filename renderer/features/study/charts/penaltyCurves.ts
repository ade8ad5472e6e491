/** SFT with and without the penalty on rotation, checkpoint by checkpoint: what the penalty keeps, and what it costs. */
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, intervalBand, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { scoreCells } from './accuracyCurve.ts';
import { accuracy, meanCurve, splitLabels, type SeedView, type Split } from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];
const runs = [
  { name: 'SFT', of: (seed: SeedResult) => seed.sft },
  { name: 'SFT with rotation penalty', of: (seed: SeedResult) => seed.penalisedSft },
] as const;

export function penaltyCurves({ seeds, several }: SeedView, frame: ChartFrame): Figure | null {
  const drawn = seeds.filter(({ penalisedSft }) => penalisedSft.length > 0);
  if (drawn.length === 0) return null;
  const { theme } = frame;
  const colors = [theme.checkpoints.end, theme.penalised];
  const names = runs.map(({ name }) => (several ? `${name}, mean` : name));
  const specs = splits.map((split): PanelSpec => ({
    title: `${splitLabels[split]} accuracy`,
    x: { name: 'SFT step' },
    y: { name: `${splitLabels[split]} accuracy (%)`, min: 0 },
  }));
  const layout = { columns: columnsFor(frame, 2, 340), plotHeightPx: 210, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = splits.flatMap((split, panel) =>
    runs.flatMap(({ name, of }, i) => {
      const color = colors[i]!;
      const curves = drawn.map((seed) =>
        of(seed).map(({ step, evaluation }) => ({ x: step, y: accuracy(evaluation[split]) })),
      );
      if (!several) {
        const points = of(drawn[0]!).map(({ step, evaluation }) => ({ step, ...evaluation[split] }));
        const data = points.map(({ step, correct, n }) => {
          return { value: [step, (100 * correct) / n], tip: `${name}: ${percentWithInterval(correct, n)}` };
        });
        const intervals = points.map(({ step, correct, n }) => {
          const [low, high] = wilsonInterval(correct, n);
          return { x: step, low: 100 * low, high: 100 * high };
        });
        return [curve(data, { name, color, panel }), intervalBand(intervals, name, color, panel)];
      }
      const thin = curves.map(
        (points) =>
        curve(points.map(({ x, y }) => ({ value: [x, 100 * y], tip: '' })), { name: `${name}, each seed`, color, panel, width: 1, symbol: 'none', opacity: 0.45 }), // prettier-ignore
      );
      const data = meanCurve(curves).map(({ x, y }) => {
        return { value: [x, 100 * y], tip: `${name}, mean of ${drawn.length} seeds: ${percent(y)}` };
      });
      return [curve(data, { name: names[i]!, color, panel, width: 3, front: true }), ...thin];
    }),
  );
  const last = (of: (typeof runs)[number]['of'], split: Split): string => {
    const ends = drawn.map((seed) => accuracy(of(seed).at(-1)!.evaluation[split]));
    return percent(ends.reduce((sum, share) => sum + share, 0) / ends.length);
  };
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(theme, 'axis', (step) => `step ${step}`),
    },
    summary: runs.map(({ name, of }) => `${name}, at the last step: ID ${last(of, 'inDist')}, OOD ${last(of, 'ood')}`).join('; '), // prettier-ignore
    table: {
      columns: ['seed', 'run', 'step', 'split', 'correct', 'n', 'accuracy', 'low', 'high'],
      rows: drawn.flatMap((seed) =>
        runs.flatMap(({ name, of }) =>
          of(seed).flatMap(({ step, evaluation }) =>
            splits.map((split) => [seed.seed, name, step, splitLabels[split], ...scoreCells(evaluation[split])]),
          ),
        ),
      ),
    },
  };
}
