/**
 * Token cross-entropy of SFT (the paper's Figures 2 and 8): ID, OOD and train, and split by the step of the answer
 * (format, number, formula), teacher-forced on the reference answers.
 */
import type { SplitScore } from '../../../../main/contract/evaluation.ts';
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import { meanCurve, splitLabels, type SeedView, type Series, type Split } from './seedView.ts';

type LossField = 'loss' | 'formatLoss' | 'numberLoss' | 'formulaLoss';

const lossPanels: { field: LossField; title: string }[] = [
  { field: 'loss', title: 'All tokens' },
  { field: 'formatLoss', title: 'Format' },
  { field: 'numberLoss', title: 'Number (the rule)' },
  { field: 'formulaLoss', title: 'Formula (arithmetic)' },
];

type Line = Split | 'train';
const labels: Record<Line, string> = { ...splitLabels, train: 'train' };

function lossOf(seed: SeedResult, line: Line, field: LossField): Series[] {
  return seed.sft.flatMap(({ step, evaluation }) => {
    const value = line === 'train' ? evaluation.trainLoss : evaluation[line][field satisfies keyof SplitScore];
    return value === undefined || !Number.isFinite(value) ? [] : [{ x: step, y: value }];
  });
}

function lines(view: SeedView, field: LossField, panel: number, { theme }: ChartFrame): object[] {
  const wanted: Line[] = field === 'loss' ? ['inDist', 'ood', 'train'] : ['inDist', 'ood'];
  return wanted.flatMap((line) => {
    const color = theme[line];
    const dashed = line === 'train';
    const curves = view.seeds.map((seed) => lossOf(seed, line, field));
    const points = (curvePoints: Series[], who: string) =>
      curvePoints.map(({ x, y }) => ({ value: [x, y], tip: `${labels[line]}${who}: ${decimal(y)} nats` }));
    const name = labels[line];
    if (!view.several) return [curve(points(curves[0] ?? [], ''), { name, color, panel, dashed })];
    const thin = view.seeds.map(({ seed }, index) =>
      curve(points(curves[index]!, `, seed ${seed}`), {
        name,
        color,
        panel,
        dashed,
        width: 1,
        symbol: 'none',
        opacity: 0.5,
      }),
    );
    return [curve(points(meanCurve(curves), ', mean'), { name, color, panel, dashed, width: 3, front: true }), ...thin];
  });
}

export function lossCurve(view: SeedView, frame: ChartFrame): Figure | null {
  const seeds = view.seeds.filter(({ sft }) => sft.length > 0);
  if (seeds.length === 0) return null;
  const shown: SeedView = { seeds, several: seeds.length > 1 };
  const specs = lossPanels.map(({ title }): PanelSpec => ({
    title,
    x: { name: 'SFT step' },
    y: { name: 'loss (nats per token)', min: 0, labelWidthPx: 40 },
  }));
  const names = [labels.inDist, labels.ood, labels.train];
  const layout = { columns: columnsFor(frame, 4, 250), plotHeightPx: 190, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = lossPanels.flatMap(({ field }, panel) => lines(shown, field, panel, frame));
  const last = seeds[0]!.sft[seeds[0]!.sft.length - 1]!;
  const fields = lossPanels.map(({ field }) => field);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (step) => `SFT step ${step}`),
    },
    summary:
      `Loss by SFT step, split by step of the answer; at step ${last.step} (seed ${seeds[0]!.seed}): ` +
      `ID ${decimal(last.evaluation.inDist.loss)}, OOD ${decimal(last.evaluation.ood.loss)} nats per token.`,
    table: {
      columns: [
        'seed',
        'step',
        'train loss',
        ...fields.map((field) => `ID ${field}`),
        ...fields.map((field) => `OOD ${field}`),
      ],
      rows: seeds.flatMap(({ seed, sft }) =>
        sft.map(({ step, evaluation }) => [
          seed,
          step,
          evaluation.trainLoss ?? null,
          ...fields.map((field) => evaluation.inDist[field]),
          ...fields.map((field) => evaluation.ood[field]),
        ]),
      ),
    },
  };
}
