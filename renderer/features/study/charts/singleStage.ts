/**
 * RL from the base, without SFT before it (the paper's Figures 11 and 12): the loss of policy and critic, and the reward
 * beside the success rate. Where the reward rises and the success rate does not, it is earned by something else than right
 * answers.
 */
import type { SeedResult } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { decimal } from '../../../figures/quantities.ts';
import type { Scalars } from './rlIterations.ts';
import { meanCurve, type SeedView, type Series } from './seedView.ts';

interface Line {
  metric: string;
  name: string;
  panel: number;
  color(theme: ChartTheme): string;
}

const panelTitles = ['Loss', 'Reward', 'Success rate'];
const units = ['loss', 'mean reward per answer', 'share of ID rollouts'];
const lines: Line[] = [
  { metric: 'policyLoss', name: 'policy loss', panel: 0, color: ({ matrices }) => matrices[0]! },
  { metric: 'valueLoss', name: 'value loss', panel: 0, color: ({ matrices }) => matrices[1]! },
  { metric: 'reward', name: 'reward', panel: 1, color: ({ matrices }) => matrices[2]! },
  { metric: 'successRate', name: 'success rate', panel: 2, color: ({ matrices }) => matrices[3]! },
];

/** Of the arm that runs from every start; empty where it did not start from the base. */
function curveOf(scalars: Scalars, { seed, mainArm }: SeedResult, metric: string): Series[] {
  const stage = scalars.get(`seed-${seed}.rl-${mainArm}-0`);
  return [...(stage ?? [])]
    .sort(([a], [b]) => a - b)
    .flatMap(([x, values]) => {
      const y = values[metric];
      return y === undefined || !Number.isFinite(y) ? [] : [{ x, y }];
    });
}

export function singleStage({ seeds }: SeedView, scalars: Scalars, frame: ChartFrame): Figure | null {
  const ran = seeds.filter((seed) => curveOf(scalars, seed, 'reward').length > 0);
  if (ran.length === 0) return null;
  const specs = panelTitles.map((title, index): PanelSpec => ({
    title,
    x: { name: 'PPO iteration' },
    y: { name: units[index]!, scale: true, ...(index === 2 ? { min: 0, max: 1 } : {}), labelWidthPx: 44 },
  }));
  const names = lines.map(({ name }) => name);
  const layout = { columns: columnsFor(frame, 3, 250), plotHeightPx: 170, leftPx: 62, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = lines.flatMap(({ metric, name, panel, color }) => {
    const curves = ran.map((seed) => curveOf(scalars, seed, metric));
    const look = { name, color: color(frame.theme), panel, symbol: 'none' } as const;
    const points = (line: Series[], who: string) =>
      line.map(({ x, y }) => ({ value: [x, y], tip: `${name}${who}: ${decimal(y)}` }));
    if (ran.length === 1) return [curve(points(curves[0]!, ''), look)];
    const thin = curves.map((line, index) =>
      curve(points(line, `, seed ${ran[index]!.seed}`), { ...look, width: 1, opacity: 0.45 }),
    );
    return [curve(points(meanCurve(curves), ', mean'), { ...look, width: 2.6, front: true }), ...thin];
  });
  const at = (metric: string, end: 0 | -1): string =>
    decimal(ran.reduce((sum, seed) => sum + curveOf(scalars, seed, metric).at(end)!.y, 0) / ran.length);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (iteration) => `PPO iteration ${iteration}`),
    },
    summary:
      `RL from the base, first to last iteration: reward ${at('reward', 0)} to ${at('reward', -1)}, ` +
      `success rate ${at('successRate', 0)} to ${at('successRate', -1)}.`,
    table: {
      columns: ['seed', 'iteration', ...names],
      rows: ran.flatMap((seed) => {
        const columns = lines.map(({ metric }) => new Map(curveOf(scalars, seed, metric).map(({ x, y }) => [x, y])));
        const iterations = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
        return iterations.map((at) => [seed.seed, at, ...columns.map((column) => column.get(at) ?? null)]);
      }),
    },
  };
}
