import { expect, it } from 'vitest';
import type { Checkpoint } from '../../../../../main/contract/api.ts';
import { catalogueRows, filtered } from '../../../../../renderer/features/checkpoints/catalogueRows.ts';
import { changeRows, diffTable } from '../../../../../renderer/features/checkpoints/diffRows.ts';
import { toTsv } from '../../../../../renderer/figures/figure.ts';
import { checkpointSample as checkpoint } from '../../checkpointSample.ts';

const inRun = (id: string, step: number, more: Partial<Checkpoint> = {}): Checkpoint =>
  checkpoint(id, { trajectory: 'sft', step, ...more });
const studyName = (id: string): string => `Study ${id}`;
const shape = (list: Checkpoint[], closed: string[] = []): string[] =>
  catalogueRows(list, studyName, closed).map((row) =>
    row.kind === 'group' ? `[${row.label} ${row.count}]` : row.checkpoint.id,
  );

it('groups by run, in the order of their newest, steps in order', () => {
  const list = [
    inRun('c', 140),
    checkpoint('x'),
    inRun('a', 0),
    inRun('b', 20),
    checkpoint('s', { studyId: '1', seed: 3 }),
  ];
  expect(shape(list)).toEqual(['[sft 3]', 'a', 'b', 'c', '[Imported, of no run 1]', 'x', '[Study 1, seed 3 1]', 's']);
  const [group] = catalogueRows(list, studyName, []);
  expect(shape(list, [group!.key])).toEqual(['[sft 3]', '[Imported, of no run 1]', 'x', '[Study 1, seed 3 1]', 's']);
});

it('runs of two studies with the same name are two groups', () => {
  expect(shape([inRun('a', 0, { studyId: '1' }), inRun('b', 0, { studyId: '2' })])).toEqual([
    '[sft 1]',
    'a',
    '[sft 1]',
    'b',
  ]);
});

it('a run offers its spectrum against what it goes back to, else against its first step', () => {
  const spectrum = (list: Checkpoint[]): string | null => {
    const [group] = catalogueRows(list, studyName, []);
    return group?.kind === 'group' ? group.spectrum : null;
  };
  expect(spectrum([inRun('b', 20), inRun('a', 0), inRun('c', 140)])).toBe('/spectrum?reference=a&targets=b,c');
  const withBase = [inRun('b', 20, { referenceId: 'base' }), inRun('c', 140, { referenceId: 'base' })];
  expect(spectrum(withBase)).toBe('/spectrum?reference=base&targets=b,c');
  expect(spectrum([inRun('a', 0)])).toBeNull();
  expect(spectrum([checkpoint('x'), checkpoint('y')])).toBeNull();
  const many = Array.from({ length: 1201 }, (_, i) => inRun(`c${i}`, i));
  const targets = new URLSearchParams(spectrum(many)!.split('?')[1]).get('targets')!.split(',');
  expect([targets.length, new Set(targets).size, targets.at(-1)]).toEqual([500, 500, 'c1200']);
});

it('the filter wants all its words, anywhere', () => {
  const list = [inRun('a', 0), checkpoint('x', { architecture: 'Qwen2ForCausalLM' })];
  const ids = (filter: string): string[] => filtered(list, filter).map(({ id }) => id);
  expect(ids('')).toEqual(['a', 'x']);
  expect(ids('SFT models')).toEqual(['a']);
  expect(ids('qwen2')).toEqual(['x']);
  expect(ids('qwen2 sft')).toEqual([]);
});

const change = (name: string, relativeChange: number | null, changedShare: number | null = 1) => {
  return { name, relativeChange, changeNorm: relativeChange, changedShare };
};

it('the largest change is on top, and what has none but has changed above it', () => {
  const rows = changeRows([change('a', 0.1), change('zero', 0, 0), change('ints', null, 0.5), change('b', 0.4)]);
  expect(rows.map(({ name, share }) => [name, share])).toEqual([
    ['ints', 0],
    ['b', 1],
    ['a', 0.25],
    ['zero', 0],
  ]);
});

it('everything that differs is in one table', () => {
  const tsv = toTsv(
    diffTable({
      config: [{ field: 'rope_theta', a: 1e4 }],
      onlyInA: ['x'],
      onlyInB: ['y'],
      differing: [{ name: 'w', a: { dtype: 'F32', shape: [2, 3] }, b: { dtype: 'BF16', shape: [2, 3] } }],
      comparable: 2,
      equal: 0,
      jobId: null,
      changes: [change('w', 0.5)],
    }),
  );
  expect(tsv.split('\n').slice(1)).toEqual([
    'config\trope_theta\t10000\t\t\t\t',
    'only in A\tx\t\t\t\t\t',
    'only in B\ty\t\t\t\t\t',
    'type or shape\tw\tF32 [2, 3]\tBF16 [2, 3]\t\t\t',
    'values\tw\t\t\t0.5\t0.5\t1',
  ]);
});
