import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectPaths } from '../../../../main/ml/checkpoints/inspectPaths.ts';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { fileBytes, oneTensor } from '../safetensors/fileBytes.ts';

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'rotascope-inspect-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]): string => path.join(folder, ...parts);
/** Writes a file, with its folders. */
function put(name: string, contents: string | Uint8Array | object): string {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  const text = typeof contents === 'string' || contents instanceof Uint8Array ? contents : JSON.stringify(contents);
  writeFileSync(at(name), text);
  return at(name);
}
const config = { architectures: ['TinyForCausalLM'], model_type: 'tiny' };
const shard = (name: string, value: number): Buffer => {
  const data = new Uint8Array(Float32Array.of(value).buffer);
  return fileBytes({ [name]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, data);
};
const [first, second] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
function putSharded(name: string, weightMap: object = { a: first, b: second }): string {
  put(`${name}/config.json`, config);
  put(`${name}/model.safetensors.index.json`, { weight_map: weightMap });
  put(`${name}/${first}`, shard('a', 1));
  put(`${name}/${second}`, shard('b', 2));
  return at(name);
}
const lines = async (...paths: string[]): Promise<[string, string][]> => {
  return (await inspectPaths(paths)).map(({ path: given, code }) => [path.relative(folder, given), code]);
};

describe('inspectPaths', () => {
  it('gives one verdict each for any mix, the good ones accepted', async () => {
    put('whole/model.safetensors', oneTensor());
    put('whole/config.json', config);
    putSharded('sharded');
    put('broken/model.safetensors', oneTensor().subarray(0, 60));
    put('alone.safetensors', oneTensor());
    put('other.safetensors', '<!doctype html><title>404</title>');
    mkdirSync(at('empty'));
    const given = ['broken', 'whole', 'empty', 'sharded', 'alone.safetensors', 'absent', 'other.safetensors'];
    expect(await lines(...given.map((name) => at(name)))).toEqual([
      ['broken', 'truncated'],
      ['whole', 'accepted'],
      ['empty', 'empty_folder'],
      ['sharded', 'accepted'],
      ['alone.safetensors', 'accepted'],
      ['absent', 'not_found'],
      ['other.safetensors', 'not_safetensors'],
    ]);
  });

  it('finds the checkpoints of a parent folder, a trainer output among them', async () => {
    put('run/model.safetensors', oneTensor());
    for (const step of [100, 200]) put(`run/checkpoint-${step}/model.safetensors`, oneTensor());
    put('run/checkpoint-200/optimizer.pt', 'PK');
    put('run/logs/events', 'x');
    put('run/.hidden/model.safetensors', oneTensor());
    put('pile/a.safetensors', oneTensor());
    put('pile/b.safetensors', 'GGUFxxxxxxxxxxxx');
    expect(await lines(folder)).toEqual([
      ['pile/a.safetensors', 'accepted'],
      ['pile/b.safetensors', 'not_safetensors'],
      ['run', 'accepted'],
      ['run/checkpoint-100', 'accepted'],
      ['run/checkpoint-200', 'accepted'],
    ]);
  });

  it('merges the paths that mean the same checkpoint', async () => {
    const sharded = putSharded('sharded');
    const single = put('single/model.safetensors', oneTensor());
    symlinkSync(sharded, at('link'));
    const all = [path.join(sharded, second), sharded, path.join(sharded, 'model.safetensors.index.json'), at('link')];
    expect(await lines(...all, single, at('single'), `${sharded}/../single/`)).toEqual([
      [`sharded/${second}`, 'accepted'],
      ['single/model.safetensors', 'accepted'],
    ]);
    expect(await lines(at('absent'), at('absent'))).toEqual([['absent', 'not_found']]);
  });

  it('takes the companions of the weights for the checkpoint they belong to', async () => {
    const sharded = putSharded('sharded');
    put('sharded/tokenizer.json', {});
    put('sharded/optimizer.pt', 'PK\u0003\u0004');
    put('configOnly/config.json', config);
    const dropped = ['tokenizer.json', 'config.json', second, 'optimizer.pt'].map((name) => path.join(sharded, name));
    expect(await lines(...dropped, at('configOnly/config.json'))).toEqual([
      ['sharded/tokenizer.json', 'accepted'],
      ['sharded/optimizer.pt', 'not_safetensors'],
      ['configOnly/config.json', 'missing_weights'],
    ]);
  });

  it('says what a folder without weights has instead', async () => {
    put('configOnly/config.json', config);
    put('pickle/config.json', config);
    put('pickle/pytorch_model.bin', 'PK');
    put('nested/model/consolidated.00.pth', 'PK');
    put('notes/readme.txt', 'x');
    const codes = (await lines(at('configOnly'), at('pickle'), at('nested'), at('notes'))).map(([, code]) => code);
    expect(codes).toEqual(['missing_weights', 'not_safetensors', 'not_safetensors', 'empty_folder']);
    const [verdict] = await inspectPaths([at('nested')]);
    expect(verdict!.text).toContain('consolidated.00.pth');
  });

  it.skipIf(process.platform === 'win32')('refuses pipes, devices and sockets without waiting for them', async () => {
    execFileSync('mkfifo', [at('pipe.safetensors')]);
    mkdirSync(at('piped'));
    execFileSync('mkfifo', [at('piped/model.safetensors')]);
    expect(await lines(at('pipe.safetensors'), at('piped'), '/dev/null')).toEqual([
      ['pipe.safetensors', 'not_a_file'],
      ['piped', 'not_a_file'],
      [path.relative(folder, '/dev/null'), 'not_a_file'],
    ]);
    mkdirSync(at('folder/model.safetensors'), { recursive: true });
    expect(await lines(at('folder'))).toEqual([['folder', 'empty_folder']]);
  });

  it('says when a file or folder may not be read', async () => {
    chmodSync(folder, 0o755);
    chmodSync(put('closed/model.safetensors', oneTensor()), 0);
    mkdirSync(at('locked'), { mode: 0 });
    // root may read everything: look as nobody
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      expect(await lines(at('closed'), at('locked'))).toEqual([
        ['closed', 'unreadable'],
        ['locked', 'unreadable'],
      ]);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('takes a path as text: NUL, line breaks, direction marks, very long ones', async () => {
    const odd = [at('a\0b'), at('a\nb'), at('a\u202eb'), at('x'.repeat(300)), at('y/'.repeat(3_000))];
    for (const { verdict, text } of await inspectPaths(odd)) {
      expect(verdict).toBe('rejected');
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});

describe('links', () => {
  it('may stay in the folder, not leave it', async () => {
    put('outside.safetensors', oneTensor());
    put('outside.json', config);
    put('inside/weights.bin', oneTensor());
    symlinkSync('weights.bin', at('inside/model.safetensors'));
    mkdirSync(at('leaves'));
    symlinkSync('../outside.safetensors', at('leaves/model.safetensors'));
    put('config/model.safetensors', oneTensor());
    symlinkSync('../outside.json', at('config/config.json'));
    expect(await lines(at('inside'), at('leaves'), at('config'))).toEqual([
      ['inside', 'accepted'],
      ['leaves', 'link_leaves_folder'],
      ['config', 'link_leaves_folder'],
    ]);
  });

  it('of a shard or an index that leave the folder are refused', async () => {
    putSharded('shard');
    put('secret.safetensors', shard('b', 3));
    rmSync(at('shard', second));
    symlinkSync('../secret.safetensors', at('shard', second));
    put('index.json', { weight_map: { a: first } });
    putSharded('index');
    rmSync(at('index/model.safetensors.index.json'));
    symlinkSync('../index.json', at('index/model.safetensors.index.json'));
    expect((await lines(at('shard'), at('index'))).map(([, code]) => code)).toEqual(
      Array(2).fill('link_leaves_folder'),
    );
  });

  it('that form a ring or lead nowhere do no harm', async () => {
    put('ring/model.safetensors', oneTensor());
    symlinkSync('..', at('ring/again'));
    symlinkSync('loop', at('loop'));
    mkdirSync(at('nowhere'));
    symlinkSync('gone', at('nowhere/model.safetensors'));
    expect(await lines(at('ring'), at('loop'), at('nowhere'))).toEqual([
      ['ring', 'accepted'],
      ['loop', 'unreadable'],
      ['nowhere', 'not_found'],
    ]);
  });

  it('of a Hugging Face cache into its own blobs are followed', async () => {
    put('hub/models--org--tiny/blobs/0123', oneTensor());
    put('hub/models--org--other/blobs/4567', oneTensor());
    const snapshot = 'hub/models--org--tiny/snapshots/abcdef';
    mkdirSync(at(snapshot), { recursive: true });
    symlinkSync('../../blobs/0123', at(snapshot, 'model.safetensors'));
    expect(await lines(at('hub/models--org--tiny'))).toEqual([[snapshot, 'accepted']]);
    rmSync(at(snapshot, 'model.safetensors'));
    symlinkSync('../../../models--org--other/blobs/4567', at(snapshot, 'model.safetensors'));
    expect(await lines(at(snapshot))).toEqual([[snapshot, 'link_leaves_folder']]);
  });
});

describe('an index', () => {
  it.each([
    '../x.safetensors', '/x.safetensors', 'sub/x.safetensors', '..\\x.safetensors', 'C:x.safetensors', 'C:\\x.safetensors', '//host/x.safetensors',
    'file:///x.safetensors', 'https://h/x.safetensors', '%2e%2e%2fx.safetensors', '%252e%252e%252fx.safetensors', 'a%00.safetensors', 'x.safetensors?y=.safetensors',
    'x\u0000.safetensors', 'x\n.safetensors', '.safetensors', '..safetensors', '.hidden.safetensors', '', '.', '..', 'config.json', 'x.bin',
    'model.safetensors/..', 'x.safetensors/', 'x.SAFETENSORS', '~/x.safetensors', 'a\u202e.safetensors', `${'x'.repeat(300)}.safetensors`,
  ])('may not name the shard %j', async (name) => {
    expect(await lines(putSharded('sharded', { a: first, b: name }))).toEqual([['sharded', 'path_escape']]);
  }); // prettier-ignore

  it.each([
    [[], 'bad_index'],
    ['text', 'bad_index'],
    [null, 'bad_index'],
    [{ metadata: {} }, 'bad_index'],
    [{ weight_map: null }, 'bad_index'],
    [{ weight_map: [] }, 'bad_index'],
    [{ weight_map: {} }, 'bad_index'],
    [{ weight_map: { a: null } }, 'bad_index'],
    [{ weight_map: { a: [first] } }, 'bad_index'],
    [{ weight_map: { a: second } }, 'missing_tensor'],
    [{ weight_map: { a: second, b: first } }, 'missing_tensor'],
    [{ weight_map: { a: first, constructor: second } }, 'missing_tensor'],
    [{ weight_map: { a: 'third.safetensors' } }, 'missing_shard'],
    [{ weight_map: { a: first, b: second }, metadata: 7 }, 'accepted'],
    [{ weight_map: { a: first, b: second }, metadata: { total_size: 8 }, more: [1] }, 'accepted'],
  ])('%j: %s', async (index, code) => {
    putSharded('sharded');
    put('sharded/model.safetensors.index.json', JSON.stringify(index));
    expect(await lines(at('sharded'))).toEqual([['sharded', code]]);
    // A shard that is dropped stands for the whole, faults included, unless a readable index does not list it.
    const listed = code === 'bad_index' || JSON.stringify(index).includes(first);
    expect((await lines(at('sharded', first)))[0]![1]).toBe(listed ? code : 'missing_index');
  });

  it('warns of shards and tensors that it does not list', async () => {
    putSharded('sharded', { a: first });
    put(`sharded/${first}`, fileBytes({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, c: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }, new Uint8Array(2))); // prettier-ignore
    const [verdict] = await inspectPaths([at('sharded')]);
    expect(verdict).toMatchObject({ verdict: 'accepted', summary: { tensors: 1, files: 1 } });
    expect(verdict!.warnings.join(' ')).toMatch(/does not list "c".*does not list the shard "model-00002-of-00002/s);
  });

  it('gives way to a whole model.safetensors beside it, but is read when it is what was dropped', async () => {
    const sharded = putSharded('both');
    put('both/model.safetensors', oneTensor());
    const tensorsOf = async (given: string): Promise<string[]> => {
      const checkpoint = await openCheckpoint(given);
      await checkpoint.close();
      return [...checkpoint.tensors.keys()];
    };
    expect(await tensorsOf(sharded)).toEqual(['a']);
    const index = path.join(sharded, 'model.safetensors.index.json');
    expect(await tensorsOf(index)).toEqual(['a', 'b']);
    expect(await lines(sharded, index)).toHaveLength(2);
    // The catalogue's location opens the same one again.
    const checkpoint = await openCheckpoint(path.join(sharded, second));
    await checkpoint.close();
    expect(await tensorsOf(checkpoint.place.location)).toEqual(['a', 'b']);
  });
});

describe('config.json', () => {
  it.each([
    ['{', 'bad_config'],
    ['[]', 'bad_config'],
    ['null', 'bad_config'],
    ['', 'bad_config'],
    ['\ufeff{}', 'bad_config'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'bad_utf8'],
    ['{"architectures":"Llama"}', 'bad_config'],
    ['{"architectures":[1]}', 'bad_config'],
    ['{"model_type":{}}', 'bad_config'],
    ['{"model_type":"a","model_type":"b"}', 'bad_config'],
    ['{"__proto__":{"polluted":1}}', 'bad_config'],
    ['{"x":'.repeat(200) + '1' + '}'.repeat(200), 'bad_config'],
    [`{"x":"${'y'.repeat(5_000_000)}"}`, 'bad_config'],
    ['{}', 'accepted'],
    ['{"architectures":null,"model_type":null,"max":1e30}', 'accepted'],
  ])('%.40s: %s', async (text, code) => {
    put('folder/model.safetensors', oneTensor());
    put('folder/config.json', text);
    expect(await lines(at('folder'))).toEqual([['folder', code]]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('values', () => {
  it('that are not finite are counted by tensor; the import goes on', async () => {
    put('folder/model.safetensors', oneTensor({}, Float32Array.of(NaN, Infinity, -Infinity, -0)));
    const [verdict] = await inspectPaths([at('folder')]);
    expect(verdict).toMatchObject({ verdict: 'accepted', code: 'non_finite' });
    expect(verdict!.warnings.join(' ')).toContain('"a" has 1 NaN and 2 infinite values');
  });

  it('of a checkpoint over 64 MB are not read, which is said', async () => {
    const size = 64_000_004;
    const header = fileBytes({ a: { dtype: 'F32', shape: [size / 4], data_offsets: [0, size] } });
    put('folder/model.safetensors', Buffer.concat([header, Buffer.alloc(size, 0xff)]));
    const [verdict] = await inspectPaths([at('folder')]);
    expect(verdict).toMatchObject({ verdict: 'accepted', code: 'accepted' });
    expect(verdict!.text).toContain('Not checked for NaN and infinity, being over 64 MB.');
  });
});
