/** Edits of all layers and ranks at once, one beside the other, with the size of each change. */
import type { SweepResult } from '../../../../main/contract/sweeps.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import { pointTable } from '../pointTable.ts';
import { editsOf, endNames, keysOf, ownPoint, sitesOf } from '../sweepPoints.ts';
import { accuracyExtent, accuracySeries, legendNames } from './accuracyPanel.ts';
import { sizeAxis, sizeSeries } from './changePanels.ts';
import { ownLabelsPx } from './ownLines.ts';
import { picksOf } from './editFigure.ts';

const plotHeightPx = 260;

export function wholeFigure(sweep: SweepResult, pair: number, frame: ChartFrame): Figure | null {
  const sites = editsOf(sweep, pair).flatMap((edit) => sitesOf(sweep, pair, edit, 'whole'));
  if (sites.length === 0) return null;
  const { theme } = frame;
  const [target, reference] = [ownPoint(sweep, pair, 'target'), ownPoint(sweep, pair, 'reference')];
  const extent = accuracyExtent(sites, [target, reference]);
  const isEvaluated = sites.some(({ point }) => point.evaluation !== null);
  const x = { name: 'edit', kind: 'category' as const, categories: sites.map(({ label }) => label) };
  const specs = [
    ...(isEvaluated
      ? [
          {
            title: 'All layers, all ranks',
            x,
            y: { name: 'accuracy (%)', ...extent },
          },
        ]
      : []),
    {
      title: "Size of the change, ||W' - W|| / ||W||",
      x,
      y: { name: 'change (%)', ...sizeAxis(sites), format: (value: number | string) => decimal(Number(value)) },
    },
  ];
  const names = isEvaluated ? legendNames(sites) : [];
  const layout = {
    columns: columnsFor(frame, specs.length, 430),
    plotHeightPx,
    labelsPx: isEvaluated ? ownLabelsPx : 0,
    ...(names.length > 0 ? { legend: names } : {}),
  };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const ends = endNames(sweep, pair);
  const context = { theme, panel: 0, target, reference, ends, extent, plotHeightPx, isJoined: false };
  const keys = keysOf(sites);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: [
        ...(isEvaluated ? accuracySeries(sites, context) : []),
        ...sizeSeries(sites, specs.length - 1, theme, false),
      ],
      ...(names.length > 0 ? { legend: legend(names, frame) } : {}),
      tooltip: tooltip(theme, 'axis', String),
    },
    summary: `${sites.map(({ label }) => label).join(', ')} of all layers and ranks, ${ends.target} towards ${ends.reference}.`,
    picks: picksOf(sweep, sites, pair),
    table: pointTable(
      sweep,
      sweep.points.filter(({ key }) => keys.has(key)),
    ),
  };
}
