import { describe, expect, it } from 'vitest';
import type { MatrixSummary } from '../../../../main/contract/spectral.ts';
import { curvesCsv, meansByMatrix, summariesCsv } from '../../../../main/ml/spectral/comparisonTables.ts';

const summary: MatrixSummary = {
  weight: 'model.layers.3.mlp.up_proj.weight',
  layer: 3,
  matrix: 'up',
  shape: [8, 4],
  changeNorm: 0.5,
  relativeChange: 0.01,
  maxAbsDeltaSigma: 0.2,
  meanAbsDeltaSigma: 0.1,
  meanAbsDeltaSigmaRatio: 0.05,
  meanAbsDeltaSigmaNull: 0.4,
  angleRank: 4,
  meanLeftAngleRad: 0.3,
  meanRightAngleRad: null,
  meanLeftNullRad: 0.6,
  meanRightNullRad: null,
  leftForcedZeros: 0,
  rightForcedZeros: 4,
  valueEnergyShare: 0.25,
  valueEnergyNull: 0.125,
  restorationCosine: null,
  restorationNullBand: null,
  stableRankReference: 2,
  stableRankTarget: 2.1,
  entropyRankReference: 3,
  entropyRankTarget: 3.1,
  changedShare: 1,
  changedAboveBf16Share: 0.5,
  bf16Floor: 0.0017,
  smallestRelativeGap: 0.01,
  smallestGapIndex: 2,
  pairingUnstable: true,
  residual: 1e-7,
  orthogonality: 1e-6,
  precision: 'float32',
  durationMs: 12,
};
const checkpoint = { id: 'x', name: 'plain', folder: '/x', step: null, contentHash: null };

describe('comparisons as tables', () => {
  it('CSV has every field of the summary once, quotes what needs it, and leaves empty what is not there', () => {
    const target = { ...checkpoint, name: 'run "a", step 5', step: 5 };
    const [head, row, end] = summariesCsv(checkpoint, [target], [[summary]]).split('\r\n');
    const fields = Object.keys(summary).filter((key) => key !== 'shape');
    expect(head!.split(',').sort()).toEqual([...fields, 'reference', 'target', 'step', 'rows', 'columns'].sort());
    expect(row).toMatch(/^plain,"run ""a"", step 5",5,8,4,model\.layers\.3\.mlp\.up_proj\.weight,3,up,0\.5,0\.01,/);
    expect(end).toBe('');
    const cells = row!.replace('"run ""a"", step 5"', 'run').split(',');
    const cell = (name: string): string | undefined => cells[head!.split(',').indexOf(name)];
    expect([cell('meanRightAngleRad'), cell('restorationCosine'), cell('pairingUnstable')]).toEqual(['', '', 'true']);
  });

  it('curves have a row a rank; angles end where they were compared', () => {
    const csv = curvesCsv({
      sReference: [3, 2, 1],
      sTarget: [3.1, 2, 0.9],
      deltaSigmaNull: [0.01, 0, -0.01],
      leftRad: [0.5],
      rightRad: [0],
      leftNullRad: [0.7],
      rightNullRad: [0],
    });
    expect(csv.split('\r\n').slice(1)).toEqual([
      '1,3,3.1,0.1,0.01,0.5,0,0.7,0',
      '2,2,2,0,0,,,,',
      '3,1,0.9,-0.1,-0.01,,,,',
      '',
    ]);
  });

  it('means go over the layers of a matrix type, then over all; what is trivial does not count', () => {
    const other: MatrixSummary = { ...summary, layer: 4, relativeChange: 0.03, pairingUnstable: false };
    const query: MatrixSummary = { ...summary, matrix: 'q', relativeChange: 0.02, meanRightAngleRad: 0.8 };
    const means = meansByMatrix([summary, other, query]);
    expect(means.map(({ matrix, matrices, unstable }) => [matrix, matrices, unstable])).toEqual([
      ['q', 1, 1],
      ['up', 2, 1],
      ['all', 3, 2],
    ]);
    expect(means[1]).toMatchObject({ relativeChange: 0.02, deltaSigmaOverNull: 0.25, valueEnergyOverNull: 2 });
    expect(means[1]!.rightAngleRad).toBe(null);
    expect(means[2]!.rightAngleRad).toBe(0.8);
    expect(meansByMatrix([])).toEqual([]);
    const unchanged = { ...summary, meanAbsDeltaSigmaNull: null };
    expect(meansByMatrix([unchanged]).at(-1)!.deltaSigmaOverNull).toBe(null);
  });
});
