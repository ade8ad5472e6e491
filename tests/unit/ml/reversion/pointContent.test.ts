/** What makes two points the same numbers: which options a point's content depends on, and which not. */
import { describe, expect, it } from 'vitest';
import { sweepSettingsSchema } from '../../../../main/contract/sweeps.ts';
import type { SweepPoint } from '../../../../main/contract/sweeps.ts';
import { pointContent, type PairContent } from '../../../../main/ml/reversion/pointContent.ts';

const weight = (layer: number, rows: number, hash: string): PairContent['weights'][number] => ({
  name: `model.layers.${layer}.self_attn.q_proj.weight`,
  layer,
  matrix: 'q',
  rows,
  columns: 16,
  rank: Math.min(rows, 16),
  targetHash: `target ${hash}`,
  referenceHash: `reference ${hash}`,
});
const pair: PairContent = {
  target: 't',
  reference: 'r',
  companions: 'c',
  weights: [weight(0, 16, 'a'), weight(1, 8, 'b')],
};
const vectors: SweepPoint = { pair: 0, axis: 'ranks', edit: 'singularVectors', k: 4, layers: null, ranks: { top: 4 } };

const settingsOf = (sweep: object, more: object = {}) =>
  sweepSettingsSchema.parse({ sweep: { kind: 'reversion', ...sweep }, ...more });
const contentOf = (
  point: SweepPoint,
  { sweep = {}, more = {}, of = pair, evaluated = true }: { sweep?: object; more?: object; of?: PairContent; evaluated?: boolean } = {}, // prettier-ignore
): string => pointContent(point, settingsOf(sweep, more), of, evaluated);

describe('the content of a point', () => {
  it('does not depend on its place on an axis, on other axes, or on how many controls there are', () => {
    const same = contentOf(vectors);
    expect(contentOf({ ...vectors, axis: 'grid', k: 0 })).toBe(same);
    expect(contentOf({ ...vectors, layers: [0, 1] })).toBe(same);
    expect(contentOf({ ...vectors, pair: 1 })).toBe(same);
    expect(contentOf(vectors, { sweep: { axes: ['whole'], dose: false, controls: { scrambled: 9, rotation: 0, noise: 0 } } })).toBe(same); // prettier-ignore
    // 16 ranks and all ranks are the same ranks here
    const all = contentOf({ ...vectors, ranks: null });
    expect(contentOf({ ...vectors, ranks: { top: 16 } })).toBe(all);
    expect(contentOf({ ...vectors, ranks: { top: 8, bottom: 8 } })).toBe(all);
    expect(contentOf({ ...vectors, ranks: { band: [0, 99] } })).toBe(all);
  });

  it('depends on the weights, the ranks, the precision, the pairing and the episodes', () => {
    const more = { task: { evaluationEpisodes: 100 } };
    const changed = { ...pair, weights: [weight(0, 16, 'other'), pair.weights[1]!] };
    const contents = [
      contentOf(vectors),
      contentOf(vectors, { of: changed }),
      contentOf(vectors, { of: { ...pair, target: 'x' } }),
      contentOf({ ...vectors, ranks: { top: 5 } }),
      contentOf({ ...vectors, layers: [0] }),
      contentOf({ ...vectors, edit: 'singularValues' }),
      contentOf({ ...vectors, control: 'dose' }),
      contentOf({ ...vectors, control: 'noise', replicate: 0 }),
      contentOf({ ...vectors, control: 'noise', replicate: 1 }),
      contentOf({ ...vectors, control: 'noise', replicate: 0 }, { more: { seed: 1 } }),
      contentOf(vectors, { more: { precision: 'float64' } }),
      contentOf(vectors, { sweep: { pairing: 'procrustes' } }),
      contentOf(vectors, { more }),
      contentOf(vectors, { evaluated: false }),
    ];
    expect(new Set(contents).size).toBe(contents.length);
    // without an evaluation the episodes do not count; the seed is of the controls alone
    expect(contentOf(vectors, { evaluated: false, more })).toBe(contents.at(-1));
    expect(contentOf(vectors, { more: { seed: 1 } })).toBe(contents[0]);
  });

  it('feels paperCompatible only where a matrix is reverted at full rank, and pairing only with vectors', () => {
    const paper = { sweep: { paperCompatible: true } };
    expect(contentOf(vectors, paper)).toBe(contentOf(vectors));
    // the narrow matrix has 8 ranks: its vectors are all reverted by now
    const eight: SweepPoint = { ...vectors, ranks: { top: 8 } };
    expect(contentOf(eight, paper)).not.toBe(contentOf(eight));
    const values: SweepPoint = { ...vectors, edit: 'singularValues', ranks: null };
    expect(contentOf(values, paper)).toBe(contentOf(values));
    const procrustes = { sweep: { pairing: 'procrustes' } };
    expect(contentOf(values, procrustes)).toBe(contentOf(values));
    expect(contentOf({ ...values, control: 'dose' }, procrustes)).not.toBe(contentOf({ ...values, control: 'dose' }));
  });

  it('of an own accuracy is the checkpoint, whichever side of a pair it is', () => {
    const own = (side: 'target' | 'reference'): SweepPoint => {
      return { pair: 0, axis: 'own', edit: 'none', own: side, layers: null, ranks: null };
    };
    expect(contentOf(own('reference'), { of: { ...pair, reference: 'peak' } })).toBe(
      contentOf(own('target'), { of: { ...pair, target: 'peak' }, sweep: { paperCompatible: true } }),
    );
    expect(contentOf(own('target'))).not.toBe(contentOf(own('reference')));
  });

  it('depends on how the model is spoken to where the task is asked in text, and there alone', () => {
    const other = { ...pair, companions: 'x' };
    const text = { task: { name: 'rank' } };
    expect(contentOf(vectors, { of: other })).toBe(contentOf(vectors));
    expect(contentOf(vectors, { of: other, more: text })).not.toBe(contentOf(vectors, { more: text }));
    expect(contentOf(vectors, { of: other, more: text, evaluated: false })).toBe(contentOf(vectors, { evaluated: false })); // prettier-ignore
    const attempts = { task: { name: 'rank', text: { attempts: 2 } } };
    expect(contentOf(vectors, { more: attempts })).not.toBe(contentOf(vectors, { more: text }));
    // settings of tasks in text do not count for one in tokens, whose points are older than they are
    expect(contentOf(vectors, { more: { task: { text: { attempts: 2 } } } })).toBe(contentOf(vectors));
  });
});
