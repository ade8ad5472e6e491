/** pass@k of independent sampled answers against k, at the checkpoints that the study names: what is in reach, not likely. */
import type { StudyCheckpoint } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import type { ChartTheme } from '../../../figures/palette.ts';
import { percent } from '../../../figures/quantities.ts';
import { checkpointLabels } from './reversionRows.ts';
import { mainArm, mean, namedEvaluation, splitLabels, type SeedView, type Split } from './seedView.ts';

const splits: Split[] = ['inDist', 'ood'];
const checkpoints: StudyCheckpoint[] = ['base', 'peak', 'end', 'last', 'rlEnd'];
const colorOf = (name: StudyCheckpoint, view: SeedView, { arms, checkpoints: colors }: ChartTheme): string =>
  name === 'rlEnd' ? arms[mainArm(view)] : colors[name];

/** Mean over the seeds that have it; empty where none has. */
function curveOf({ seeds }: SeedView, name: StudyCheckpoint, split: Split): number[] {
  const each = seeds.flatMap((seed) => {
    const values = namedEvaluation(seed, name)?.[split].answers?.passAtK;
    return values === undefined ? [] : [values];
  });
  const length = Math.min(...each.map((values) => values.length));
  return Number.isFinite(length) ? Array.from({ length }, (_, k) => mean(each.map((values) => values[k]!))) : [];
}

export function passAtK(view: SeedView, frame: ChartFrame): Figure | null {
  const present = checkpoints.filter((name) => curveOf(view, name, 'ood').length > 0);
  if (present.length === 0) return null;
  const specs = splits.map((split): PanelSpec => ({
    title: `${splitLabels[split]} pass@k`,
    x: { name: 'k (independent answers)', min: 1 },
    y: { name: 'pass@k (%)', min: 0, max: 100 },
  }));
  const names = present.map((name) => checkpointLabels[name]);
  const layout = { columns: columnsFor(frame, 2, 320), plotHeightPx: 200, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const who = view.several ? `, mean of ${view.seeds.length} seeds` : '';
  const series = splits.flatMap((split, panel) =>
    present.map((name) => {
      const points = curveOf(view, name, split).map((value, index) => ({
        value: [index + 1, 100 * value],
        tip: `${checkpointLabels[name]}${who}: ${percent(value)}`,
      }));
      return curve(points, { name: checkpointLabels[name], color: colorOf(name, view, frame.theme), panel });
    }),
  );
  const words = present.map((name) => {
    const values = curveOf(view, name, 'ood');
    return `${checkpointLabels[name]} ${percent(values[values.length - 1]!)} at k = ${values.length}`;
  });
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (k) => `k = ${k}`),
    },
    summary: `OOD pass@k: ${words.join('; ')}.`,
    table: {
      columns: ['checkpoint', 'split', 'k', 'pass@k'],
      rows: present.flatMap((name) =>
        splits.flatMap((split) =>
          curveOf(view, name, split).map((value, index) => [
            checkpointLabels[name],
            splitLabels[split],
            index + 1,
            Number(value.toFixed(4)),
          ]),
        ),
      ),
    },
  };
}
