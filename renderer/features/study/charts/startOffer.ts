/**
 * What a start point offers RL to learn from, against what RL gained: the share of rewarded answers and the policy
 * entropy at the first iterations, beside the change of OOD accuracy. The paper speculates that a balanced share and
 * enough entropy decide; here the points are shown, and nothing is fitted.
 */
import { rlArmLabels, rlArms } from '../../../../main/contract/settings.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import { accuracy, lastEvaluation, type SeedView } from './seedView.ts';

interface Offer {
  seed: number;
  arm: (typeof rlArms)[number];
  startStep: number;
  rewardShare: number | null;
  entropy: number | null;
  /** Percentage points. */
  oodGain: number;
}

export function offers({ seeds }: SeedView): Offer[] {
  return seeds.flatMap(({ seed, rl }) =>
    rl.flatMap((run) => {
      const [first, last] = [run.checkpoints[0], lastEvaluation(run)];
      if (first === undefined || last === null || run.checkpoints.length < 2) return [];
      if (run.startRewardShare === undefined && run.startEntropy === undefined) return [];
      const oodGain = 100 * (accuracy(last.ood) - accuracy(first.evaluation.ood));
      const { arm, startStep, startRewardShare = null, startEntropy = null } = run;
      return [{ seed, arm, startStep, rewardShare: startRewardShare, entropy: startEntropy, oodGain }];
    }),
  );
}

export function startOffer(view: SeedView, frame: ChartFrame): Figure | null {
  const all = offers(view);
  if (all.length === 0) return null;
  const y = { name: 'OOD gain (points)', scale: true };
  const specs: PanelSpec[] = [
    { title: 'Rewarded share at the start', x: { name: 'share of answers with positive reward', min: 0, max: 1 }, y },
    { title: 'Policy entropy at the start', x: { name: 'entropy (nats per token)', min: 0 }, y },
  ];
  const names = rlArms.filter((arm) => all.some((offer) => offer.arm === arm)).map((arm) => rlArmLabels[arm]);
  const layout = { columns: columnsFor(frame, 2, 300), plotHeightPx: 190, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = specs.flatMap((_, panel) =>
    rlArms.map((arm) => ({
      type: 'scatter',
      name: rlArmLabels[arm],
      xAxisIndex: panel,
      yAxisIndex: panel,
      symbolSize: 11,
      itemStyle: { color: frame.theme.arms[arm] },
      color: frame.theme.arms[arm],
      data: all.flatMap((offer) => {
        const x = panel === 0 ? offer.rewardShare : offer.entropy;
        if (offer.arm !== arm || x === null) return [];
        const tip = `${rlArmLabels[arm]}, from step ${offer.startStep}, seed ${offer.seed}: ${decimal(x)}, OOD ${offer.oodGain >= 0 ? '+' : ''}${offer.oodGain.toFixed(1)} points`;
        return [{ value: [x, offer.oodGain], tip }];
      }),
    })),
  );
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'item'),
    },
    summary: `OOD gain of ${all.length} RL runs against the rewarded share and the entropy at their start.`,
    table: {
      columns: ['seed', 'arm', 'start step', 'rewarded share', 'entropy (nats per token)', 'OOD gain (points)'],
      rows: all.map((offer) => [
        offer.seed,
        rlArmLabels[offer.arm],
        offer.startStep,
        offer.rewardShare,
        offer.entropy,
        offer.oodGain,
      ]),
    },
  };
}
