import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { writeCheckpoint } from '../../../../main/ml/checkpoints/writeCheckpoint.ts';
import type { WeightMap } from '../../../../main/ml/model/weights.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'rotascope-write-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config = { architectures: ['LlamaForCausalLM'], model_type: 'llama' };
const weights = (value: number): WeightMap => new Map([['w', { shape: [1, 2], data: Float32Array.of(value, -value) }]]);
const target = (): string => path.join(folder, 'checkpoints', 'step-100');

async function valuesAt(at: string): Promise<number[]> {
  const checkpoint = await openCheckpoint(at);
  const values = await checkpoint.read('w');
  await checkpoint.close();
  return [...values];
}

describe('writeCheckpoint', () => {
  it('writes a Hugging Face folder, with its folders, and leaves nothing beside it', async () => {
    await writeCheckpoint(target(), {
      config,
      weights: weights(1),
      tokenizer: { version: '1.0' },
      tokenizerConfig: { eos_token: '<end>' },
      generationConfig: { eos_token_id: 2 },
    });
    const files = [
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ];
    expect(readdirSync(target()).sort()).toEqual(files);
    expect(readdirSync(path.dirname(target()))).toEqual(['step-100']);
    expect(JSON.parse(readFileSync(path.join(target(), 'config.json'), 'utf8'))).toEqual(config);
    const checkpoint = await openCheckpoint(target());
    await checkpoint.close();
    expect(checkpoint).toMatchObject({ config, hasTokenizer: true, files: ['model.safetensors'], warnings: [] });
    expect(await valuesAt(target())).toEqual([1, -1]);
  });

  it('replaces a checkpoint, and clears what an interrupted write left', async () => {
    await writeCheckpoint(target(), { config, weights: weights(1), tokenizer: {} });
    mkdirSync(`${target()}.partial`);
    writeFileSync(path.join(`${target()}.partial`, 'model.safetensors'), 'half');
    mkdirSync(`${target()}.old.partial`);
    await writeCheckpoint(target(), { config, weights: weights(2) });
    expect(await valuesAt(target())).toEqual([2, -2]);
    expect(existsSync(path.join(target(), 'tokenizer.json'))).toBe(false);
    expect(readdirSync(path.dirname(target()))).toEqual(['step-100']);
  });

  it('does not touch a folder that holds something else', async () => {
    mkdirSync(target(), { recursive: true });
    writeFileSync(path.join(target(), 'thesis.tex'), 'kept');
    await expect(writeCheckpoint(target(), { config, weights: weights(1) })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(readdirSync(target())).toEqual(['thesis.tex']);
    expect(readdirSync(path.dirname(target()))).toEqual(['step-100']);
  });

  it('leaves the old checkpoint and no half of a new one when it fails', async () => {
    await writeCheckpoint(target(), { config, weights: weights(1) });
    const bad: WeightMap = new Map([['w', { shape: [3], data: Float32Array.of(1) }]]);
    await expect(writeCheckpoint(target(), { config, weights: bad })).rejects.toThrow(RangeError);
    expect(await valuesAt(target())).toEqual([1, -1]);
    expect(readdirSync(path.dirname(target()))).toEqual(['step-100']);
  });
});
