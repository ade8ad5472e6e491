/**
 * How often each step of the answer is wrong, by SFT step (the paper's Figure 2, right): format, numbers (the rule), the
 * whole answer. Shares of all episodes; on OOD the dashed line is the share that is right under the ID rule instead.
 */
import type { SplitScore } from '../../../../main/contract/evaluation.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { percent } from '../../../figures/quantities.ts';
import { meanCurve, splitLabels, type SeedView, type Split } from './seedView.ts';

interface ErrorKind {
  label: string;
  color(theme: ChartTheme): string;
  of(score: SplitScore): number;
  dashed?: boolean;
}

const kinds: ErrorKind[] = [
  { label: 'format wrong', color: ({ matrices }) => matrices[6]!, of: ({ n, formatOk }) => (n - formatOk) / n },
  {
    label: 'numbers wrong (the rule)',
    color: ({ matrices }) => matrices[1]!,
    of: ({ n, numberOk }) => (n - numberOk) / n,
  },
  { label: 'answer wrong', color: ({ matrices }) => matrices[0]!, of: ({ n, correct }) => (n - correct) / n },
  {
    label: 'right under the ID rule',
    color: ({ neutral }) => neutral,
    of: ({ n, ruleSlips }) => ruleSlips / n,
    dashed: true,
  },
];
const splits: Split[] = ['inDist', 'ood'];
/** On ID nothing is right under another rule. */
const kindsOf = (split: Split): ErrorKind[] => (split === 'ood' ? kinds : kinds.slice(0, 3));

function lines(view: SeedView, split: Split, panel: number, { theme }: ChartFrame): object[] {
  return kindsOf(split).flatMap(({ label: name, of, dashed = false, ...kind }) => {
    const look = { name, color: kind.color(theme), panel, dashed };
    const curves = view.seeds.map(({ sft }) =>
      sft.map(({ step, evaluation }) => ({ x: step, y: of(evaluation[split]) })),
    );
    const points = (line: { x: number; y: number }[], who: string) =>
      line.map(({ x, y }) => ({ value: [x, 100 * y], tip: `${name}${who}: ${percent(y)}` }));
    if (!view.several) return [curve(points(curves[0]!, ''), look)];
    const thin = view.seeds.map(({ seed }, index) =>
      curve(points(curves[index]!, `, seed ${seed}`), { ...look, width: 1, opacity: 0.45, symbol: 'none' }),
    );
    return [curve(points(meanCurve(curves), ', mean'), { ...look, width: 2.6, front: true }), ...thin];
  });
}

export function answerErrors(view: SeedView, frame: ChartFrame): Figure | null {
  const seeds = view.seeds.filter(({ sft }) => sft.length > 0);
  if (seeds.length === 0) return null;
  const shown: SeedView = { seeds, several: seeds.length > 1 };
  const specs = splits.map((split): PanelSpec => ({
    title: `Errors on ${splitLabels[split]} prompts`,
    x: { name: 'SFT step' },
    y: { name: 'share of episodes (%)', min: 0, max: 100 },
  }));
  const names = kinds.map(({ label }) => label);
  const layout = { columns: columnsFor(frame, 2, 300), plotHeightPx: 190, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const last = seeds[0]!.sft[seeds[0]!.sft.length - 1]!;
  const ofLast = kindsOf('ood').map(({ label, of }) => `${label} ${percent(of(last.evaluation.ood))}`);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: splits.flatMap((split, panel) => lines(shown, split, panel, frame)),
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (step) => `SFT step ${step}`),
    },
    summary: `Wrong steps of the answer; OOD at step ${last.step} (seed ${seeds[0]!.seed}): ${ofLast.join(', ')}.`,
    table: {
      columns: [
        'seed',
        'step',
        'split',
        'n',
        'format wrong',
        'numbers wrong',
        'answer wrong',
        'right under the ID rule',
      ],
      rows: seeds.flatMap(({ seed, sft }) =>
        sft.flatMap(({ step, evaluation }) =>
          splits.map((split) => {
            const { n, formatOk, numberOk, correct, ruleSlips } = evaluation[split];
            const counts = [n - formatOk, n - numberOk, n - correct, ruleSlips];
            return [seed, step, splitLabels[split], n, ...counts];
          }),
        ),
      ),
    },
  };
}
