/** Delta sigma and principal angles of one matrix of a study's comparison, as figures/matrixCurves.ts draws them. */
import type { MatrixComparison } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { matrixCurves } from '../../../figures/matrixCurves.ts';

export function spectrum({ angles, ...comparison }: MatrixComparison, frame: ChartFrame): Figure {
  const { rank: angleRank, ...sides } = angles;
  return matrixCurves({ ...comparison, angleRank, ...sides }, frame, ['deltaSigma', 'left', 'right']);
}
