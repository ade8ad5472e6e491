/** Rows of the checkpoint catalogue, made from headers and configs: no weight is read. */
import { createHash, randomUUID } from 'node:crypto';
import type { Checkpoint as CheckpointRow, CheckpointDetail } from '../contract/api.ts';
import { architectureOf } from '../ml/checkpoints/configFile.ts';
import { nameOfPlace, openCheckpoint } from '../ml/checkpoints/openCheckpoint.ts';
import type { Checkpoint } from '../ml/checkpoints/openCheckpoint.ts';

/** What a study knows of a checkpoint that it wrote. */
export interface CheckpointOrigin {
  name: string;
  studyId: string;
  seed: number | null;
  step: number | null;
}

/** SHA-256 over names, types, shapes and places of all tensors: equal for equal layouts, whatever the weights. */
function headerHash(checkpoint: Checkpoint): string {
  const hash = createHash('sha256');
  for (const { name, dtype, shape, begin, end, file } of checkpoint.tensors.values())
    hash.update(`${JSON.stringify([name, dtype, shape, begin, end, file])}\n`);
  return hash.digest('hex');
}

function row(checkpoint: Checkpoint, origin: CheckpointOrigin | null): Omit<CheckpointRow, 'missing'> {
  const tensors = [...checkpoint.tensors.values()];
  return {
    id: randomUUID(),
    name: origin?.name ?? nameOfPlace(checkpoint.place),
    folder: checkpoint.place.location,
    ...architectureOf(checkpoint.config),
    parameters: tensors.reduce((sum, { elements }) => sum + elements, 0),
    bytes: checkpoint.bytes,
    dtypes: [...new Set(tensors.map(({ dtype }) => dtype))].sort(),
    files: checkpoint.files.length,
    tensors: tensors.length,
    headerHash: headerHash(checkpoint),
    hasTokenizer: checkpoint.hasTokenizer,
    studyId: origin?.studyId ?? null,
    seed: origin?.seed ?? null,
    step: origin?.step ?? null,
    importedAtMs: Date.now(),
  };
}

/** @throws what openCheckpoint throws */
export async function readCatalogueRow(
  path: string,
  origin: CheckpointOrigin | null = null,
): Promise<Omit<CheckpointRow, 'missing'>> {
  const checkpoint = await openCheckpoint(path);
  try {
    return row(checkpoint, origin);
  } finally {
    await checkpoint.close();
  }
}

export async function readDetail(stored: CheckpointRow): Promise<CheckpointDetail> {
  const checkpoint = await openCheckpoint(stored.folder);
  try {
    const tensorTable = [...checkpoint.tensors.values()].map(({ name, dtype, shape, begin, end, file }) => ({
      name,
      dtype,
      shape: [...shape],
      bytes: end - begin,
      file,
    }));
    return { ...stored, config: { ...checkpoint.config }, tensorTable };
  } finally {
    await checkpoint.close();
  }
}
