import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../../../main/ml/safetensors/reader.ts';
import { type WrittenTensor, writeSafetensors } from '../../../../main/ml/safetensors/writer.ts';
import { fileBytes } from './fileBytes.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'rotascope-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const freshPath = (): string => path.join(folder, `${++count}.safetensors`);
const tensors = (list: [string, number[], number[]][]): Map<string, WrittenTensor> => {
  return new Map(list.map(([name, shape, data]) => [name, { shape, data: Float32Array.from(data) }]));
};

async function readAll(file: string): Promise<Map<string, WrittenTensor>> {
  const opened = await openSafetensors(file);
  const found = new Map<string, WrittenTensor>();
  for (const { name, shape } of opened.tensors.values()) found.set(name, { shape, data: await opened.read(name) });
  await opened.close();
  return found;
}

describe('writeSafetensors', () => {
  it('writes this layout, worked out by hand from the format', async () => {
    const file = freshPath();
    await writeSafetensors(file, tensors([['b', [2], [1, -2]], ['a', [], [0.5]]])); // prettier-ignore
    const header =
      '{"__metadata__":{"format":"pt"},' +
      '"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
      '"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}';
    // 138 characters; 6 blanks make 144 = 0x90, a multiple of 8.
    expect(header).toHaveLength(138);
    const data = '0000003f' + '0000803f' + '000000c0'; // 0.5, 1, -2
    const expected = '9000000000000000' + Buffer.from(header + ' '.repeat(6)).toString('hex') + data;
    expect(readFileSync(file).toString('hex')).toBe(expected);
  });

  it('rounds to bfloat16 and float16 on request', async () => {
    // 1 + 2^-8 and 1 + 3 * 2^-8 lie between two bfloat16 values: to the even one.
    const values = tensors([['a', [2], [1 + 2 ** -8, 1 + 3 * 2 ** -8]]]);
    const [bfloat, half] = [freshPath(), freshPath()];
    await writeSafetensors(bfloat, values, { dtype: 'BF16' });
    await writeSafetensors(half, values, { dtype: 'F16' });
    expect(readFileSync(bfloat).subarray(-4).toString('hex')).toBe('803f' + '823f');
    expect(readFileSync(half).subarray(-4).toString('hex')).toBe('043c' + '0c3c');
  });

  it('gives the same bytes whatever the order of the map', async () => {
    const list: [string, number[], number[]][] = [['10', [1], [1]], ['9', [1], [2]], ['é', [0], []], ['a', [1], [3]]]; // prettier-ignore
    const [one, other] = [freshPath(), freshPath()];
    await writeSafetensors(one, tensors(list));
    await writeSafetensors(other, tensors(list.toReversed()));
    expect(readFileSync(one)).toEqual(readFileSync(other));
    expect([...(await readAll(one)).keys()]).toEqual(['10', '9', 'a', 'é']);
  });

  it('reads back bit for bit', async () => {
    const values = fc.float32Array({ maxLength: 24 });
    const entry = fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), values, fc.boolean());
    const named = fc.uniqueArray(entry, { maxLength: 6, selector: ([name]) => name });
    const legal = ([name]: [string, ...unknown[]]): boolean => !/\p{Cc}|^__proto__$|^__metadata__$/u.test(name);
    await fc.assert(
      fc.asyncProperty(named, async (drawn) => {
        const written = new Map(
          drawn
            .filter(legal)
            .map(([name, data, flat]) => [name, { shape: flat ? [data.length] : [1, data.length], data }]),
        );
        const file = freshPath();
        await writeSafetensors(file, written);
        const found = await readAll(file);
        rmSync(file);
        expect(new Set(found.keys())).toEqual(new Set(written.keys()));
        for (const [name, { shape, data }] of written) {
          expect(found.get(name)!.shape).toEqual(shape);
          expect(new Uint32Array(found.get(name)!.data.buffer)).toEqual(new Uint32Array(data.slice().buffer));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuses a shape that does not fit and a file that is there', async () => {
    const file = freshPath();
    await expect(writeSafetensors(file, tensors([['a', [3], [1, 2]]]))).rejects.toThrow(RangeError);
    writeFileSync(file, 'kept');
    await expect(writeSafetensors(file, tensors([]))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(file, 'utf8')).toBe('kept');
  });
});

describe('openSafetensors', () => {
  it('reads ranges of a tensor, and nothing outside it', async () => {
    const file = freshPath();
    await writeSafetensors(file, tensors([['a', [2], [1, 2]], ['b', [3], [3, 4, 5]]])); // prettier-ignore
    const opened = await openSafetensors(file);
    const middle = await opened.readBytes('b', 4, 4);
    expect(Buffer.from(middle).readFloatLE()).toBe(4);
    await expect(opened.readBytes('b', 8, 8)).rejects.toThrow(RangeError);
    await expect(opened.readBytes('a', -4, 4)).rejects.toThrow(RangeError);
    await expect(opened.readBytes('c')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(opened.read('toString')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await opened.close();
  });

  it('says when the file was cut after it was opened', async () => {
    const file = freshPath();
    await writeSafetensors(file, tensors([['a', [4], [1, 2, 3, 4]]]));
    const opened = await openSafetensors(file);
    writeFileSync(file, readFileSync(file).subarray(0, -3));
    await expect(opened.read('a')).rejects.toMatchObject({ details: { importCode: 'truncated' } });
    await opened.close();
  });

  it('refuses integers as weights, by name', async () => {
    const file = freshPath();
    writeFileSync(file, fileBytes({ ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, new Uint8Array(8)));
    const opened = await openSafetensors(file);
    await expect(opened.read('ids')).rejects.toThrow('"ids" holds I64 values, not floating point.');
    await opened.close();
  });

  it('leaves no file open when it refuses one', async () => {
    const file = freshPath();
    writeFileSync(file, 'not a checkpoint');
    for (let i = 0; i < 5_000; i++) await expect(openSafetensors(file)).rejects.toThrow();
  });
});
