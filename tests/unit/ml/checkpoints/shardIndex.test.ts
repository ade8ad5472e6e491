/** Shard indexes from anywhere: mutated bytes, and JSON of every shape. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomMutations } from '../../../fuzz/randomMutations.ts';
import { checkIndex, codeOf, indexTarget } from '../../../fuzz/targets.ts';

const codeOfIndex = (file: Buffer): string => {
  try {
    indexTarget.checkAccepted(checkIndex(file), file);
    return 'accepted';
  } catch (error) {
    return codeOf(error);
  }
};

it('20,000 mutated indexes are each accepted or refused with a code', { timeout: 60_000 }, () => {
  const codes = new Map<string, number>();
  for (let index = 0; index < 20_000; index++) {
    const code = codeOfIndex(randomMutations(indexTarget, 1, index));
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  for (const code of ['accepted', 'bad_json', 'bad_index', 'bad_utf8', 'duplicate_name', 'path_escape'])
    expect(codes.get(code) ?? 0, code).toBeGreaterThan(0);
});

it('a tensor in two places is refused, also where JSON.parse would take the last', () => {
  const shard = (number: number): string => `"a":"model-0000${number}-of-00002.safetensors"`;
  expect(codeOfIndex(Buffer.from(`{"weight_map":{${shard(1)},${shard(2)}}}`))).toBe('duplicate_name');
});

it('JSON of any shape is accepted or refused with a code', () => {
  const shardName = fc.oneof(
    fc.string(),
    fc.constant('model-00001-of-00002.safetensors'),
    fc.constant('../a.safetensors'),
  );
  const index = fc.record(
    {
      weight_map: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), shardName)),
      metadata: fc.jsonValue(),
      more: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const codes = new Set<string>();
  fc.assert(
    fc.property(fc.oneof(index, fc.jsonValue()), (json) => {
      codes.add(codeOfIndex(Buffer.from(JSON.stringify(json))));
    }),
    { numRuns: 5_000, seed: 1 },
  );
  expect([...codes].sort()).toEqual(expect.arrayContaining(['accepted', 'bad_index', 'path_escape']));
});
