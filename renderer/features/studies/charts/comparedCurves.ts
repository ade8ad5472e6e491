/**
 * Accuracy of SFT by step of two studies over each other, one panel a split: of one seed with its 95 % Wilson intervals over
 * episodes, of several seeds their mean over the thin lines of each.
 */
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import type { StudyResult } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, intervalBand, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels } from '../../../figures/panels.ts';
import { percent, percentWithInterval } from '../../../figures/quantities.ts';
import { accuracy, meanCurve, splitLabels, type Split } from '../../study/charts/seedView.ts';

const splits: Split[] = ['ood', 'inDist'];

interface Drawn {
  name: string;
  color: string;
  result: StudyResult;
}

function series({ name, color, result }: Drawn, split: Split, panel: number): object[] {
  const seeds = result.seeds.filter(({ sft }) => sft.length > 0);
  const [only] = seeds;
  if (only === undefined) return [];
  if (seeds.length === 1) {
    const points = only.sft.map(({ step, evaluation }) => {
      const { correct, n } = evaluation[split];
      return { value: [step, (100 * correct) / n], tip: `${name}: ${percentWithInterval(correct, n)}` };
    });
    const intervals = only.sft.map(({ step, evaluation }) => {
      const [low, high] = wilsonInterval(evaluation[split].correct, evaluation[split].n);
      return { x: step, low: 100 * low, high: 100 * high };
    });
    return [curve(points, { name, color, panel }), intervalBand(intervals, name, color, panel)];
  }
  const curves = seeds.map(({ sft }) =>
    sft.map(({ step, evaluation }) => ({ x: step, y: accuracy(evaluation[split]) })),
  );
  const averaged = meanCurve(curves).map(({ x, y }) => ({
    value: [x, 100 * y],
    tip: `${name}, mean of ${seeds.length} seeds: ${percent(y)}`,
  }));
  const thin = curves.map((points) =>
    curve(
      points.map(({ x, y }) => ({ value: [x, 100 * y], tip: '' })),
      { name, color, panel, width: 1, symbol: 'none', opacity: 0.4 },
    ),
  );
  return [curve(averaged, { name, color, panel, width: 3, front: true }), ...thin];
}

/** @param names of the two, told apart where they are the same */
export function comparedCurves(
  results: readonly StudyResult[],
  names: readonly string[],
  frame: ChartFrame,
): Figure | null {
  if (results.every(({ seeds }) => seeds.every(({ sft }) => sft.length === 0))) return null;
  const { theme } = frame;
  const drawn = results.map((result, i): Drawn => ({ name: names[i]!, color: theme.matrices[i]!, result }));
  const { heightPx, ...axes } = panels(
    splits.map((split) => ({
      title: `${splitLabels[split]} accuracy of SFT`,
      x: { name: 'SFT step' },
      y: { name: 'accuracy (%)', min: 0, max: 100 },
    })),
    { columns: columnsFor(frame, 2, 400), plotHeightPx: 240, legend: [...names] },
    frame,
  );
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: splits.flatMap((split, panel) => drawn.flatMap((one) => series(one, split, panel))),
      legend: legend([...names], frame),
      tooltip: tooltip(theme, 'axis', (step) => `SFT step ${step}`),
    },
    summary: `Accuracy of SFT by step of ${names.join(' and ')}, ID and OOD.`,
    table: {
      columns: ['study', 'seed', 'step', 'OOD correct', 'OOD n', 'ID correct', 'ID n'],
      rows: drawn.flatMap(({ name, result }) =>
        result.seeds.flatMap(({ seed, sft }) =>
          sft.map(({ step, evaluation: { ood, inDist } }) => [
            ...[name, seed, step],
            ...[ood.correct, ood.n, inDist.correct, inDist.n],
          ]),
        ),
      ),
    },
  };
}
