/** Delta sigma and principal angles of one matrix of a study's comparison, as figures/matrixCurves.ts draws them. */
import type { MatrixComparison } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { matrixCurves, type CurvesOfMatrix } from '../../../figures/matrixCurves.ts';

export function curvesOf({ angles, ...comparison }: MatrixComparison): CurvesOfMatrix {
  const { rank: angleRank, ...sides } = angles;
  return { ...comparison, angleRank, ...sides };
}

export const spectrum = (matrix: MatrixComparison, frame: ChartFrame): Figure =>
  matrixCurves(curvesOf(matrix), frame, ['deltaSigma', 'left', 'right']);
