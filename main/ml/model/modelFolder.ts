/**
 * A model of a checkpoint's folder, whatever its size: read tensor by tensor into the session, and written beside
 * everything else that the checkpoint holds. What the model does not read (a vision tower, cross-attention layers) is
 * carried along byte by byte; what it reads is written in the type it was stored in, rounded to nearest. Saved as F32
 * nothing is rounded, and what is carried along is widened.
 */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Compute } from '../../compute/compute.ts';
import { AppError } from '../../contract/errors.ts';
import type { SavedDtype } from '../../contract/settings.ts';
import { copyCompanions, float32Config, resizedIndex, writeText } from '../checkpoints/companionFiles.ts';
import { configName } from '../checkpoints/configFile.ts';
import { copyShard, writtenBytes } from '../checkpoints/copyShard.ts';
import { fileOfFolder } from '../checkpoints/folderFiles.ts';
import { type Checkpoint, type CheckpointTensor, openCheckpoint } from '../checkpoints/openCheckpoint.ts';
import { tensorPieces } from '../checkpoints/tensorPieces.ts';
import { writeWhole } from '../checkpoints/writeCheckpoint.ts';
import { isFloatDtype, widenToFloat32 } from '../safetensors/dtypes.ts';
import { LanguageModel } from './languageModel.ts';
import { type ModelConfig, parseModelConfig } from './modelConfig.ts';
import { decoderInfo, weightCatalogue } from './weights.ts';
import { weightNames } from './families.ts';

const never = new AbortController().signal;

/** @throws CHECKPOINT_INCOMPLETE there is no config.json; what `parseModelConfig` throws */
export function modelConfigOf({
  config,
  tensors,
  place,
}: Pick<Checkpoint, 'config' | 'tensors' | 'place'>): ModelConfig {
  if (config !== null) return parseModelConfig(config, tensors);
  throw new AppError('CHECKPOINT_INCOMPLETE', `${place.location} has no config.json.`, {
    hint: 'Copy config.json of the same model into the folder.',
  });
}

/** Of a checkpoint on the disk, without its weights. @throws as `openCheckpoint` and `modelConfigOf` */
export async function readModelConfig(path: string): Promise<ModelConfig> {
  const checkpoint = await openCheckpoint(path);
  try {
    return modelConfigOf(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/**
 * @param path a folder, an index, a safetensors file or one shard
 * @throws CHECKPOINT_INVALID | CHECKPOINT_INCOMPLETE | CHECKPOINT_UNSUPPORTED | SHAPE_MISMATCH | OUT_OF_MEMORY
 */
export async function loadModel(compute: Compute, path: string, signal = never): Promise<LanguageModel> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await LanguageModel.load(compute, modelConfigOf(checkpoint), {
      shapes: checkpoint.tensors,
      pieces: (name) => floatPieces(checkpoint, checkpoint.tensors.get(name)!, signal),
    });
  } finally {
    await checkpoint.close();
  }
}

async function* floatPieces(
  checkpoint: Checkpoint,
  tensor: CheckpointTensor,
  signal: AbortSignal,
): AsyncGenerator<Float32Array> {
  const { name, dtype } = tensor;
  if (!isFloatDtype(dtype)) {
    throw new AppError('CHECKPOINT_UNSUPPORTED', `"${name}" holds ${dtype} values, not floating point.`, {
      hint: 'Save the weights as F32, F16 or BF16.',
    });
  }
  for await (const bytes of tensorPieces(checkpoint, tensor, signal)) yield widenToFloat32(dtype, bytes);
}

export interface SaveOptions {
  /** Of every floating-point tensor; the stored types unless given. */
  dtype?: SavedDtype;
  signal?: AbortSignal;
}

/**
 * Writes the model's present weights as a checkpoint of the same layout as the one it came from: same files, same names, and
 * the same types or F32. Reads one tensor at a time.
 * @param folder is created; a checkpoint that is there is replaced
 * @param path of the checkpoint that the model was loaded from
 * @throws CONFLICT the folder holds something else; DISK_FULL
 */
export async function saveModel(
  folder: string,
  model: LanguageModel,
  path: string,
  { dtype = 'same', signal = never }: SaveOptions = {},
): Promise<void> {
  const source = await openCheckpoint(path);
  try {
    await writeWhole(folder, (partial) => writeShards(partial, model, source, dtype, signal));
  } finally {
    await source.close();
  }
}

async function writeShards(
  to: string,
  model: LanguageModel,
  source: Checkpoint,
  dtype: SavedDtype,
  signal: AbortSignal,
): Promise<void> {
  const { place, tensors, files } = source;
  const read = new Set(weightCatalogue(model.config).map(({ name }) => name));
  const variableOf = (name: string): string | null => (read.has(name) ? name : tiedTo(model.config, name));
  const real = async (name: string): Promise<string> => {
    const found = await fileOfFolder(place.root, name);
    if (found !== null) return found;
    throw new AppError('NOT_FOUND', `${name} has left ${place.location}.`, { hint: 'Put it back, then save again.' });
  };
  for (const name of files) {
    const shard = {
      path: await real(name),
      name,
      tensors: [...tensors.values()].filter(({ file }) => file === name),
      dtype,
      change: async (tensor: CheckpointTensor) => {
        const variable = variableOf(tensor.name);
        if (variable === null) return null;
        const values = await model.session.read(variable);
        return { values: (from: number, count: number) => values.subarray(from, from + count) };
      },
      signal,
      onBytes: () => undefined,
    };
    await copyShard(shard, join(to, name));
  }
  if (place.kind === 'sharded') await copyFile(await real(place.file), join(to, place.file));
  await copyCompanions(place, to);
  if (dtype === 'F32') await sayFloat32(to, source);
}

/** What the text files of a checkpoint say of its types. */
async function sayFloat32(to: string, { place, tensors, config }: Checkpoint): Promise<void> {
  await writeText(join(to, configName), `${JSON.stringify(float32Config(config!), null, 2)}\n`);
  if (place.kind !== 'sharded') return;
  const bytes = [...tensors.values()].reduce((sum, tensor) => sum + writtenBytes(tensor, 'F32'), 0);
  const index = join(to, place.file);
  await writeText(index, resizedIndex(await readFile(index, 'utf8'), bytes));
}

/** A tied head that is stored all the same follows the embedding. */
function tiedTo(config: ModelConfig, name: string): string | null {
  return config.tieWordEmbeddings && name === weightNames(config).lmHead ? decoderInfo(config).embedding.name : null;
}
