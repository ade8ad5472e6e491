/**
 * What the answers of a task in text are like at every SFT checkpoint, beside whether they are right: ended by the model,
 * one JSON object, problem copied right, rule applied right, result that follows from what was written; mean reward; and the
 * probability of any right result beside that of the reference's. Small multiples, ID and OOD in each.
 */
import type { SplitScore } from '../../../../main/contract/evaluation.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal, percent } from '../../../figures/quantities.ts';
import { meanCurve, splitLabels, type SeedView, type Series, type Split } from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];

interface Fact {
  title: string;
  /** Share of the episodes unless it has a unit of its own. */
  unit?: string;
  of(score: SplitScore): number | undefined;
  /** A second, dashed curve on the same axis. */
  second?: { name: string; of(score: SplitScore): number | undefined };
}
const share = (count: number | undefined, { n }: SplitScore): number | undefined =>
  count === undefined ? undefined : (100 * count) / n;

const facts: Fact[] = [
  { title: 'Ended by the model', of: (score) => share(score.answers?.ended, score) },
  { title: 'Strict format: one JSON object', of: (score) => share(score.answers?.strict, score) },
  { title: 'Problem copied right', of: (score) => share(score.answers?.cardOk, score) },
  { title: 'Rule applied right', of: (score) => share(score.numberOk, score) },
  { title: 'Result follows from the steps', of: (score) => share(score.answers?.formulaOk, score) },
  { title: 'Right with the beginning given', of: (score) => share(score.forcedCorrect, score) },
  { title: 'Mean reward', unit: 'reward per episode', of: (score) => score.answers?.meanReward },
  {
    title: 'Probability of a right result',
    unit: 'probability (%)',
    of: ({ answers }) => (answers?.mass === undefined ? undefined : 100 * answers.mass.any),
    second: {
      name: "the reference's alone",
      of: ({ answers }) => (answers?.mass === undefined ? undefined : 100 * answers.mass.reference),
    },
  },
];

type Measure = (score: SplitScore) => number | undefined;
const curveOf = ({ seeds }: SeedView, index: number, split: Split, of: Measure): Series[] =>
  seeds[index]!.sft.flatMap(({ step, evaluation }) => {
    const y = evaluation[split].answers === undefined ? undefined : of(evaluation[split]);
    return y === undefined ? [] : [{ x: step, y }];
  });

function lines(view: SeedView, fact: Fact, panel: number, { theme }: ChartFrame): object[] {
  const unit = fact.unit ?? '% of episodes';
  const measures = [{ name: '', of: fact.of, dashed: false }];
  if (fact.second !== undefined) measures.push({ ...fact.second, dashed: true });
  return splits.flatMap((split) =>
    measures.flatMap(({ name, of, dashed }) => {
      const label = `${splitLabels[split]}${name === '' ? '' : `, ${name}`}`;
      const look = { name: splitLabels[split], color: theme[split], panel, dashed };
      const curves = view.seeds.map((_, index) => curveOf(view, index, split, of));
      const points = (line: Series[], who: string) =>
        line.map(({ x, y }) => ({ value: [x, y], tip: `${label}${who}: ${decimal(y)} ${unit}` }));
      if (!view.several) return [curve(points(curves[0]!, ''), look)];
      const thin = view.seeds.map(({ seed }, index) =>
        curve(points(curves[index]!, `, seed ${seed}`), { ...look, width: 1, opacity: 0.45, symbol: 'none' }),
      );
      return [curve(points(meanCurve(curves), ', mean'), { ...look, width: 2.6, front: true }), ...thin];
    }),
  );
}

export function answerFacts(view: SeedView, frame: ChartFrame): Figure | null {
  const seeds = view.seeds.filter(({ sft }) => sft.some(({ evaluation }) => evaluation.ood.answers !== undefined));
  if (seeds.length === 0) return null;
  const shown: SeedView = { seeds, several: seeds.length > 1 };
  const present = facts.filter(({ of }) => seeds.some((_, index) => curveOf(shown, index, 'ood', of).length > 0));
  const specs = present.map(({ title, unit }): PanelSpec => ({
    title,
    x: { name: 'SFT step' },
    y: {
      name: unit ?? 'episodes (%)',
      labelWidthPx: 44,
      // The probability of a result may be tiny.
      format: (value) => decimal(Number(value)),
      ...(unit === undefined ? { min: 0, max: 100 } : unit.includes('%') ? { min: 0 } : { scale: true }),
    },
  }));
  const names = splits.map((split) => splitLabels[split]);
  const layout = { columns: columnsFor(frame, 4, 250), plotHeightPx: 140, leftPx: 60, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const last = seeds[0]!.sft[seeds[0]!.sft.length - 1]!;
  const { ended = NaN } = last.evaluation.ood.answers ?? {};
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: present.flatMap((fact, panel) => lines(shown, fact, panel, frame)),
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (step) => `SFT step ${step}`),
    },
    summary: `Facts of the answers by SFT step; at step ${last.step} the model ended ${percent(ended / last.evaluation.ood.n)} of its OOD answers.`,
    table: {
      columns: [
        ...['seed', 'step', 'split', 'n'],
        ...present.flatMap(({ title, unit = '% of episodes', second }) => [
          `${title} (${unit})`,
          ...(second === undefined ? [] : [`${title}, ${second.name} (${unit})`]),
        ]),
      ],
      rows: seeds.flatMap(({ seed, sft }) =>
        sft.flatMap(({ step, evaluation }) =>
          splits.map((split) => {
            const score = evaluation[split];
            const measured = present.flatMap(({ of, second }) => [
              of(score) ?? null,
              ...(second === undefined ? [] : [second.of(score) ?? null]),
            ]);
            return [seed, step, splitLabels[split], score.n, ...measured];
          }),
        ),
      ),
    },
  };
}
