import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importCodeOf } from '../../../../main/ml/checkpoints/importCodes.ts';
import { maxHeaderBytes } from '../../../../main/ml/safetensors/header.ts';
import { headerLength } from '../../../../main/ml/safetensors/reader.ts';
import { headerBytes, mutate, mutationKinds } from '../../../fuzz/mutateFile.ts';
import { checkHeader, codeOf as codeOfFault, headerTarget } from '../../../fuzz/targets.ts';
import { fileBytes, oneTensor } from './fileBytes.ts';

function codeOf(file: Buffer): string {
  try {
    checkHeader(file);
    return 'accepted';
  } catch (error) {
    return importCodeOf(error) ?? `unexpected: ${String(error)}`;
  }
}

describe('a header', () => {
  it('of one tensor is read', () => {
    const { tensors, metadata } = checkHeader(oneTensor());
    expect([...tensors.values()]).toEqual([{ name: 'a', dtype: 'F32', shape: [2, 2], elements: 4, begin: 0, end: 16 }]);
    expect(metadata.size).toBe(0);
  });

  it('is refused field by field with the code of that field', () => {
    const huge = '18446744073709551616';
    const wrong: [string, unknown][] = [
      ['dtype', undefined], ['dtype', null], ['dtype', 32], ['dtype', ['F32']], ['dtype', 'F33'], ['dtype', ''], ['dtype', 'constructor'],
      ['shape', undefined], ['shape', null], ['shape', 4], ['shape', {}], ['shape', '2,2'], ['shape', [2.5, 2]], ['shape', [[2], 2]],
      ['shape', [null, 4]], ['shape', [true, 4]], ['shape', [-1, -4]], ['shape', Array<number>(65).fill(1)],
      ['data_offsets', undefined], ['data_offsets', null], ['data_offsets', {}], ['data_offsets', []], ['data_offsets', [16]],
      ['data_offsets', [0, 16, 16]], ['data_offsets', [-16, 0]], ['data_offsets', [0.5, 16.5]], ['data_offsets', ['0', '16']], ['data_offsets', [16, 0]],
    ]; // prettier-ignore
    const code = { dtype: 'bad_dtype', shape: 'bad_shape', data_offsets: 'bad_offsets' } as Record<string, string>;
    for (const [field, value] of wrong)
      expect(codeOf(oneTensor({ [field]: value })), `${field} ${String(value)}`).toBe(code[field]);
    const raw = (shape: string, offsets: string): Buffer =>
      fileBytes(`{"a":{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}}`, new Uint8Array(16));
    expect(codeOf(raw('[2,2]', `[0,${huge}]`))).toBe('bad_offsets');
    expect(codeOf(raw('[2,2]', '[0,1.6e1]'))).toBe('bad_offsets');
    expect(codeOf(raw(`[${huge}]`, '[0,16]'))).toBe('overflow');
    expect(codeOf(raw('[4294967296,4294967296]', '[0,16]'))).toBe('overflow');
    expect(codeOf(raw('[9007199254740991]', '[0,16]'))).toBe('overflow');
    expect(codeOf(raw('[NaN]', '[0,16]'))).toBe('bad_json');
    // No element, whatever the other sizes multiply to.
    const none = '{"a":{"dtype":"F32","shape":[1099511627776,1099511627776,0],"data_offsets":[0,0]}}';
    expect(codeOf(fileBytes(none))).toBe('accepted');
    expect(codeOf(raw('[2,2]', '[0,16]'))).toBe('accepted');
  });

  it('has to cover the data once, from the first byte to the last', () => {
    const two = (first: number[], second: number[], bytes: number): string => {
      const tensor = ([begin, end]: number[]): object => ({
        dtype: 'U8',
        shape: [end! - begin!],
        data_offsets: [begin, end],
      });
      return codeOf(fileBytes({ b: tensor(second), a: tensor(first) }, new Uint8Array(bytes)));
    };
    expect(two([0, 4], [4, 8], 8)).toBe('accepted');
    expect(two([0, 4], [4, 4], 4)).toBe('accepted');
    expect(two([0, 4], [3, 8], 8)).toBe('overlap');
    expect(two([0, 4], [0, 4], 4)).toBe('overlap');
    expect(two([0, 4], [2, 2], 4)).toBe('overlap');
    expect(two([0, 4], [5, 8], 8)).toBe('gap');
    expect(two([1, 4], [4, 8], 8)).toBe('gap');
    expect(two([0, 4], [4, 7], 8)).toBe('gap');
    expect(two([0, 4], [4, 9], 8)).toBe('out_of_range');
  });

  it('may have types below a byte, in whole bytes', () => {
    // Sizes that the reference library 0.8.0 takes and refuses.
    const sized = (dtype: string, elements: number, bytes: number): string => {
      return codeOf(fileBytes({ a: { dtype, shape: [elements], data_offsets: [0, bytes] } }, new Uint8Array(bytes)));
    };
    for (const [dtype, elements, bytes] of [
      ['F4', 2, 1],
      ['F4', 8, 4],
      ['F6_E2M3', 4, 3],
      ['F6_E3M2', 8, 6],
    ] as const)
      expect(sized(dtype, elements, bytes)).toBe('accepted');
    for (const [dtype, elements, bytes] of [
      ['F4', 1, 1],
      ['F4', 3, 3],
      ['F6_E2M3', 2, 1],
      ['F6_E3M2', 8, 8],
    ] as const)
      expect(sized(dtype, elements, bytes)).toBe('size_mismatch');
  });

  it('names nothing twice', () => {
    const entry = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
    expect(codeOf(fileBytes(`{"a":${entry},"\\u0061":${entry}}`))).toBe('duplicate_name');
    expect(codeOf(fileBytes('{"__metadata__":{},"__metadata__":{}}'))).toBe('duplicate_name');
    expect(codeOf(fileBytes('{"__metadata__":{"k":"v","k":"v"}}'))).toBe('duplicate_name');
    for (const field of ['"dtype":"U8"', '"shape":[0]', '"data_offsets":[0,0]']) {
      expect(codeOf(fileBytes(`{"a":${entry.slice(0, -1)},${field}}}`))).toBe('duplicate_name');
    }
  });

  it('may use the names of Object.prototype, but none that no library writes', () => {
    const named = (name: string): string => {
      return codeOf(fileBytes(`{${JSON.stringify(name)}:{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`));
    };
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '../../etc/passwd', 'größe', 'a b']) {
      expect(named(name), name).toBe('accepted');
    }
    for (const name of ['', '__proto__', 'a\u0000b', 'a\u001b[31m', 'a\u0085', 'x'.repeat(1_025)]) {
      expect(named(name), name.slice(0, 20)).toBe('unsafe_name');
    }
  });

  it('may have texts as metadata, and nothing else', () => {
    expect(codeOf(fileBytes({ __metadata__: { format: 'pt', constructor: 'x' } }))).toBe('accepted');
    for (const value of [1, 'x', true, [], [1], { n: 1 }, { n: null }, { n: {} }]) {
      expect(codeOf(fileBytes({ __metadata__: value })), JSON.stringify(value)).toBe('bad_metadata');
    }
  });

  it('is no longer than the format allows, whatever the file', () => {
    const claims = (length: bigint, bytes: number): string => {
      const file = Buffer.alloc(64, ' ');
      file.writeBigUInt64LE(length);
      file[8] = 0x7b;
      try {
        return String(headerLength(file, bytes, 'x.safetensors'));
      } catch (error) {
        return importCodeOf(error) ?? String(error);
      }
    };
    const terabyte = 10 ** 12;
    expect(claims(BigInt(maxHeaderBytes), terabyte)).toBe(String(maxHeaderBytes));
    expect(claims(BigInt(maxHeaderBytes) + 1n, terabyte)).toBe('header_too_large');
    for (const power of [31n, 32n, 53n, 63n]) expect(claims(2n ** power + 1n, terabyte)).toBe('header_too_large');
    expect(claims(100n, 107)).toBe('truncated');
    expect(claims(100n, 108)).toBe('100');
  });
});

const malformed = 'tests/fixtures/malformed';
interface Case {
  file: string;
  expected: string;
  kind: string | null;
}
const cases = readFileSync(`${malformed}/cases.jsonl`, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

describe('the shipped malformed files', () => {
  it.each(cases.filter(({ file, expected }) => expected === 'reject' && file.endsWith('.safetensors')))(
    '$file is refused as $kind',
    ({ file, kind }) => expect(codeOf(readFileSync(`${malformed}/${file}`))).toBe(kind),
  );
});

const { seeds } = headerTarget;
const mutation = fc.record({
  kind: fc.constantFrom(...mutationKinds),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(...headerBytes)),
  count: fc.integer({ min: 1, max: 12 }),
});

describe('20,000 mutated files', () => {
  it('are each accepted or refused with a code, and nothing else happens', { timeout: 60_000 }, () => {
    const before = Reflect.ownKeys(Object.prototype).length;
    const residentBefore = process.memoryUsage.rss();
    const codes = new Map<string, number>();
    let slowestMs = 0;
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 4 }), (seed, mutations) => {
        const file = mutations.reduce(mutate, seed);
        const started = performance.now();
        let code = 'accepted';
        try {
          headerTarget.checkAccepted(checkHeader(file), file);
        } catch (error) {
          code = codeOfFault(error);
        }
        slowestMs = Math.max(slowestMs, performance.now() - started);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }),
      // One seed: what the mutations reach must not depend on the day. The long run (npm run fuzz) takes others.
      { numRuns: 20_000, seed: 1 },
    );
    expect(Reflect.ownKeys(Object.prototype)).toHaveLength(before);
    expect(slowestMs).toBeLessThan(1_000);
    expect(process.memoryUsage.rss() - residentBefore).toBeLessThan(128 * 1024 * 1024);
    // The mutations reach the checks that they are meant to reach, and some files survive them.
    for (const code of ['accepted', 'truncated', 'header_too_large', 'bad_json', 'bad_utf8', 'duplicate_name']) {
      expect(codes.get(code) ?? 0, code).toBeGreaterThan(0);
    }
    for (const code of ['bad_dtype', 'bad_shape', 'bad_offsets', 'size_mismatch', 'out_of_range', 'overlap', 'gap']) {
      expect(codes.get(code) ?? 0, code).toBeGreaterThan(0);
    }
  });
});
