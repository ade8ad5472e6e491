/** What the catalogue shows of a checkpoint: everything that does not need the database. */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { AppError } from '../../contract/errors.ts';
import type { CheckpointDetail, TensorInfo } from '../../contract/api.ts';
import { parseModelConfig } from '../model/modelConfig.ts';
import { weightCatalogue } from '../model/weights.ts';
import type { FileStamp } from '../../contract/catalogue.ts';
import { architectureOf } from './configFile.ts';
import { fileStamps } from './fileStamps.ts';
import { someNames } from './importCodes.ts';
import type { CheckpointPlace } from './locateCheckpoint.ts';
import { type Checkpoint, type CheckpointTensor, openCheckpoint } from './openCheckpoint.ts';
import { placeInRun } from './trajectory.ts';

/** The fields of the contract's checkpoint that come from the files. */
export type CheckpointDescription = Pick<
  CheckpointDetail,
  | 'name' | 'folder' | 'architecture' | 'modelType' | 'parameters' | 'bytes' | 'dtypes' | 'files' | 'tensors'
  | 'headerHash' | 'hasTokenizer' | 'step' | 'trajectory' | 'config'
> & {
  tensorTable: TensorInfo[];
  /** Folder that holds the checkpoints of the same run; null when the names say nothing of a run. */
  runFolder: string | null;
}; // prettier-ignore

/**
 * @param path a folder, an index, a safetensors file or one shard
 * @throws NOT_FOUND, CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE, CHECKPOINT_UNSUPPORTED with an import code
 */
export async function describeCheckpoint(path: string): Promise<CheckpointDescription & { stamps: FileStamp[] }> {
  const checkpoint = await openCheckpoint(path);
  try {
    return { ...describe(checkpoint), stamps: await fileStamps(checkpoint) };
  } finally {
    await checkpoint.close();
  }
}

export function describe(checkpoint: Checkpoint): CheckpointDescription {
  const { place, config, hasTokenizer, files, bytes } = checkpoint;
  const tensors = [...checkpoint.tensors.values()];
  const run = placeInRun(place);
  return {
    name: run?.name ?? nameOfPlace(place),
    folder: place.location,
    ...architectureOf(config),
    parameters: tensors.reduce((sum, { elements }) => sum + elements, 0),
    bytes,
    dtypes: [...new Set(tensors.map(({ dtype }) => dtype))].sort(),
    files: files.length,
    tensors: tensors.length,
    headerHash: headerHash(tensors),
    hasTokenizer,
    step: run?.step ?? null,
    trajectory: run?.trajectory ?? null,
    runFolder: run?.runFolder ?? null,
    config: config ?? {},
    tensorTable: tensors.map(({ name, dtype, shape, begin, end, file }) => {
      return { name, dtype, shape: [...shape], bytes: end - begin, file };
    }),
  };
}

/**
 * SHA-256 (hex) over name, type and shape of every tensor, by name: equal for checkpoints whose weights can be compared
 * and exchanged, however they are split into files. It says nothing about the values.
 */
export function headerHash(tensors: readonly Pick<CheckpointTensor, 'name' | 'dtype' | 'shape'>[]): string {
  const hash = createHash('sha256');
  const ordered = [...tensors].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const { name, dtype, shape } of ordered) hash.update(`${JSON.stringify([name, dtype, ...shape])}\n`);
  return hash.digest('hex');
}

/** The folder's or file's name; a snapshot of the Hugging Face cache goes by the model's: "org/name". */
export function nameOfPlace({ location, root }: CheckpointPlace): string {
  const snapshots = dirname(root);
  const model = basename(dirname(snapshots));
  if (location === root && basename(snapshots) === 'snapshots' && model.startsWith('models--')) {
    return model.slice('models--'.length).replace('--', '/');
  }
  return basename(location).replace(/\.safetensors(\.index\.json)?$/, '');
}

/**
 * What keeps this program from building a model of a checkpoint whose files are in order: its architecture, or weights
 * that do not fit its configuration. Whole sentences; empty when a model can be built.
 */
export function modelWarnings({ config, tensors }: Pick<Checkpoint, 'config' | 'tensors'>): string[] {
  if (config === null) return [];
  let catalogue;
  try {
    catalogue = weightCatalogue(parseModelConfig(config, tensors));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [`${error.message} Its weights can be compared, but it cannot be trained or evaluated here.`];
  }
  const absent = catalogue.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  if (absent.length > 0)
    return [`The configuration needs ${someNames(absent)}, which the weights lack. No model can be built.`];
  const differing = catalogue.find(({ name, shape }) => tensors.get(name)!.shape.join() !== shape.join());
  if (differing === undefined) return [];
  const { name, shape } = differing;
  const found = `${name} is [${tensors.get(name)!.shape.join(', ')}], the configuration needs [${shape.join(', ')}]`;
  return [`${found}. No model can be built: take config.json from the same checkpoint as the weights.`];
}
