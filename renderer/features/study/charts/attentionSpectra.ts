/**
 * Of one layer: delta sigma of q, k and v between two checkpoints (the paper's Figure 13), and the principal angles of one
 * matrix, base against SFT_End and base against RL_End (Figure 14). Both beside their nulls: a random update of the same
 * norm, random subspaces of the same size. Curves over indices are drawn by their extremes; the table has every value.
 */
import type { Comparison, MatrixComparison } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip } from '../../../figures/marks.ts';
import { angleSide, curvePoints, indicesOf, isTrivial, panelSpec, zeroLine } from '../../../figures/matrixCurves.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal, degrees } from '../../../figures/quantities.ts';
import { checkpointLabels } from './reversionRows.ts';
import { curvesOf } from './spectrum.ts';

const attention = ['q', 'k', 'v'] as const;
const [measured, deltaNull, angleNull] = ['measured', 'random update of the same norm', 'random subspaces'];
const largest = (values: number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const deltaSigmaOf = ({ sReference, sTarget }: MatrixComparison): number[] =>
  sTarget.map((s, index) => s - sReference[index]!);

/** @param layer of the weights, from 0 */
export function attentionDeltaSigma(comparison: Comparison, layer: number, frame: ChartFrame): Figure | null {
  const found = attention.flatMap(
    (name) => comparison.matrices.find((one) => one.layer === layer && one.matrix === name) ?? [],
  );
  if (found.length === 0) return null;
  const { theme } = frame;
  const names = [measured, deltaNull];
  const specs = found.map((one) =>
    panelSpec('deltaSigma', one.sReference.length, `${one.matrix}_proj, layer ${layer}`),
  );
  const layout = { columns: columnsFor(frame, 3, 280), plotHeightPx: 180, leftPx: 74, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = found.flatMap((one, panel) => {
    const delta = deltaSigmaOf(one);
    const indices = indicesOf([delta, one.deltaSigmaNull], null);
    const points = (values: number[], what: string) => curvePoints(values, indices, (y) => `${what}: ${decimal(y)}`);
    const extra = { markLine: zeroLine(frame) };
    return [
      curve(points(one.deltaSigmaNull, deltaNull), { name: deltaNull, color: theme.neutral, panel, dashed: true, width: 1.6, symbol: 'none', extra }), // prettier-ignore
      curve(points(delta, measured), { name: measured, color: theme.matrices[0]!, panel, symbol: 'none' }),
    ];
  });
  const pair = `${checkpointLabels[comparison.target]} - ${checkpointLabels[comparison.reference]}`;
  return {
    heightPx,
    option: { ...still, ...axes, series, legend: legend(names, frame), tooltip: tooltip(theme, 'axis', (at) => `index ${at}`) }, // prettier-ignore
    summary: `Delta sigma, ${pair}, layer ${layer}; largest: ${found.map((one) => `${one.matrix} ${decimal(largest(deltaSigmaOf(one)))}`).join(', ')}.`,
    table: {
      columns: ['reference', 'target', 'weight', 'index', 'sigma reference', 'sigma target', 'delta sigma', 'delta sigma, random update'], // prettier-ignore
      rows: found.flatMap((one) =>
        deltaSigmaOf(one).map((delta, index) => [
          comparison.reference,
          comparison.target,
          one.weight,
          index + 1,
          one.sReference[index]!,
          one.sTarget[index]!,
          delta,
          one.deltaSigmaNull[index] ?? null,
        ]),
      ),
    },
  };
}

const sides = ['left', 'right'] as const;

/** Both comparisons start at the base. */
export function anglesFromBase(
  comparisons: Comparison[],
  layer: number,
  matrix: string,
  frame: ChartFrame,
): Figure | null {
  const found = comparisons.flatMap(({ reference, target, matrices }) => {
    const one = matrices.find((each) => each.layer === layer && each.matrix === matrix);
    return reference !== 'base' || one === undefined ? [] : [{ target, curves: curvesOf(one) }];
  });
  if (found.length === 0) return null;
  const { theme } = frame;
  const colors = [theme.matrices[0]!, theme.matrices[1]!, theme.matrices[2]!];
  const labels = found.map(({ target }) => `base to ${checkpointLabels[target]}`);
  const names = [...labels, angleNull];
  const ofSide = (side: (typeof sides)[number]) => found.map(({ curves }) => angleSide(curves, side));
  const specs = sides.map((side): PanelSpec => {
    const [first] = ofSide(side);
    const trivial = isTrivial(first!) ? ' (trivial: the subspace is the whole space)' : '';
    return panelSpec(side, first!.rad.length, `${first!.title}${trivial}`);
  });
  const layout = { columns: columnsFor(frame, 2, 300), plotHeightPx: 200, leftPx: 62, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const series = sides.flatMap((side, panel) => {
    const all = ofSide(side).filter((one) => !isTrivial(one));
    const drawn = all.map(({ rad }) => rad.map(degrees));
    const nulls = (all[0]?.nullRad ?? []).map(degrees);
    const indices = indicesOf([...drawn, nulls], null);
    const points = (values: number[], what: string) => curvePoints(values, indices, (y) => `${what}: ${decimal(y)}°`);
    return [
      curve(points(nulls, angleNull), { name: angleNull, color: theme.neutral, panel, dashed: true, width: 1.6, symbol: 'none' }), // prettier-ignore
      ...drawn.map((values, index) =>
        curve(points(values, labels[index]!), { name: labels[index]!, color: colors[index]!, panel, symbol: 'none' }),
      ),
    ];
  });
  return {
    heightPx,
    option: { ...still, ...axes, series, legend: legend(names, frame), tooltip: tooltip(theme, 'axis', (at) => `index ${at}`) }, // prettier-ignore
    summary: `Principal angles of ${found[0]!.curves.weight}; largest left and right: ${found
      .map(({ curves }, index) => `${labels[index]!} ${decimal(degrees(largest(curves.leftRad)))}° and ${decimal(degrees(largest(curves.rightRad)))}°`)
      .join('; ')}.`, // prettier-ignore
    table: {
      columns: ['reference', 'target', 'weight', 'side', 'index', 'angle (rad)', 'null (rad)', 'forced zero'],
      rows: found.flatMap(({ target, curves }) =>
        sides.flatMap((side) => {
          const { rad, nullRad, forcedZeros } = angleSide(curves, side);
          return rad.map((angle, index) => {
            const forced = index < forcedZeros ? 'yes' : 'no';
            return ['base', target, curves.weight, side, index + 1, angle, nullRad[index] ?? null, forced];
          });
        }),
      ),
    },
  };
}
