/**
 * Writes a checkpoint as transformers does: config.json, model.safetensors, tokenizer.json, tokenizer_config.json,
 * generation_config.json. Everything goes to `<folder>.partial`, is flushed, and gets its name last: a folder of that
 * name is always whole.
 */
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../../contract/errors.ts';
import type { WeightMap } from '../model/weights.ts';
import type { WrittenDtype } from '../safetensors/dtypes.ts';
import { writeSafetensors } from '../safetensors/writer.ts';

export interface CheckpointContents {
  /** `config.json`, in Hugging Face's names. */
  config: object;
  weights: WeightMap;
  /** `tokenizer.json` */
  tokenizer?: object;
  /** `tokenizer_config.json` */
  tokenizerConfig?: object;
  /** `generation_config.json` */
  generationConfig?: object;
  /** F32 by default; F16 and BF16 round to nearest, ties to even. */
  dtype?: WrittenDtype;
}

/**
 * @param folder is created; a checkpoint that is there is replaced
 * @throws CONFLICT the folder holds something else; DISK_FULL
 */
export async function writeCheckpoint(folder: string, contents: CheckpointContents): Promise<void> {
  await writeWhole(folder, (partial) => writeFiles(partial, contents));
}

/**
 * @param write fills the folder it is given, which gets the name `folder` when it returns
 * @throws CONFLICT the folder holds something other than a checkpoint; DISK_FULL
 */
export async function writeWhole(folder: string, write: (partial: string) => Promise<void>): Promise<void> {
  const target = resolve(folder);
  const partial = `${target}.partial`;
  const existing = await entriesOf(target);
  if (existing !== null && existing.length > 0 && !existing.includes('config.json')) {
    const hint = 'Choose another folder.';
    throw new AppError('CONFLICT', `${target} holds something other than a checkpoint.`, { hint });
  }
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await write(partial);
    await syncFolder(partial);
    await putInPlace(partial, target, existing !== null);
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    const hint = 'Free some disk space and start again.';
    throw new AppError('DISK_FULL', `No space is left for ${target}.`, { hint, cause: error });
  }
}

async function writeFiles(folder: string, contents: CheckpointContents): Promise<void> {
  const { config, weights, tokenizer, tokenizerConfig, generationConfig, dtype = 'F32' } = contents;
  await writeSafetensors(join(folder, 'model.safetensors'), weights, { dtype });
  const texts = [
    ['config.json', config],
    ['tokenizer.json', tokenizer],
    ['tokenizer_config.json', tokenizerConfig],
    ['generation_config.json', generationConfig],
  ] as const;
  for (const [name, value] of texts) if (value !== undefined) await writeJson(join(folder, name), value);
}

async function writeJson(path: string, value: object): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function putInPlace(partial: string, target: string, exists: boolean): Promise<void> {
  // A folder cannot be replaced in one step: the old one steps aside, under a name that nothing takes for a checkpoint.
  const old = `${target}.old.partial`;
  await rm(old, { recursive: true, force: true });
  if (exists) await rename(target, old);
  await rename(partial, target);
  await syncFolder(dirname(target));
  await rm(old, { recursive: true, force: true });
}

/** A rename is on the disk once its folder is; Windows cannot flush a folder and does not need it. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function entriesOf(folder: string): Promise<string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
