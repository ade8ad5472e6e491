import { describe, expect, it } from 'vitest';
import { nextSort, pointRows } from '../../../../../renderer/features/ablations/pointRows.ts';
import { paperFour, sweepPoint } from '../../sweepSample.ts';

const sweep = paperFour();

describe('the rows of the table', () => {
  it('are filtered: edits, with doses, with every control', () => {
    const counts = ['edits', 'doses', 'all', 'unknown'].map((filter) => pointRows(sweep, filter, '').length);
    // Of each pair: 2 own, 6 places x (values, vectors, ceiling), 12 doses, 36 controls.
    expect(counts).toEqual([2 * 20, 2 * 32, 2 * 68, 2 * 20]);
  });
  it('are sorted by a column both ways, what has no number last', () => {
    const unevaluated = sweepPoint(0, 0, { evaluation: null, key: 'none' });
    const more = { ...sweep, points: [unevaluated, ...sweep.points] };
    const oods = (sort: string) => pointRows(more, 'edits', sort).map(({ ood }) => ood);
    for (const [sort, sign] of [
      ['ood', 1],
      ['-ood', -1],
    ] as const) {
      const list = oods(sort);
      expect(list.at(-1)).toBeNull();
      const known = list.slice(0, -1).map((ood) => sign * ood!);
      expect(known).toEqual([...known].sort((a, b) => a - b));
    }
    expect(pointRows(more, 'edits', '')[0]!.point.key).toBe('none');
    expect(oods('nonsense')).toEqual(oods(''));
  });
  it('test an edit against its own controls, in its own pair, axis and place', () => {
    const rows = pointRows(sweep, 'all', '');
    const edits = rows.filter(({ point }) => point.edit === 'singularVectors' && point.control === undefined);
    expect(edits.map(({ test }) => test!.replicates)).toEqual(edits.map(() => 3));
    expect(
      rows
        .filter(({ point }) => point.control !== undefined || point.edit === 'both')
        .every(({ test }) => test === null),
    ).toBe(true);
  });
  it('take scrambled controls where there are other kinds too', () => {
    const place = { axis: 'layers', k: 1, layers: [0] } as const;
    const rotations = [0, 1].map((replicate) =>
      sweepPoint(70, 30, { ...place, layers: [0], control: 'rotation', replicate }),
    );
    const more = { ...sweep, points: [rotations[0]!, ...sweep.points, rotations[1]!] };
    const row = pointRows(more, 'edits', '').find(({ words }) => words === 'Singular vectors, layer 0, all ranks')!;
    expect(row.test).toMatchObject({ replicates: 3, p: 0.25 });
  });
  it('a heading sorts upwards, downwards, not at all', () => {
    expect(['', 'ood', '-ood', 'p'].map((sort) => nextSort(sort, 'ood'))).toEqual(['ood', '-ood', '', 'ood']);
  });
});
