/** Rows of the checkpoint catalogue, made from headers and configs: no weight is read. */
import { randomUUID } from 'node:crypto';
import type { Checkpoint, CheckpointDetail, TensorRecord } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { describeCheckpoint } from '../ml/checkpoints/describeCheckpoint.ts';
import type { CheckpointDescription } from '../ml/checkpoints/describeCheckpoint.ts';
import type { NewCheckpoint } from '../store/checkpointStore.ts';
import type { Store } from '../store/store.ts';

/** What a study knows of a checkpoint that it wrote. */
export interface CheckpointOrigin {
  name: string;
  studyId: string;
  seed: number | null;
  step: number | null;
}

/** @throws NOT_FOUND, CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE, CHECKPOINT_UNSUPPORTED */
export async function readCatalogueRow(path: string, origin: CheckpointOrigin | null = null): Promise<NewCheckpoint> {
  return toRow(await describeCheckpoint(path), origin);
}

/** A row, its configuration, and the folder of its run: what its place in the catalogue is guessed from. */
export interface ReadCheckpoint {
  row: NewCheckpoint;
  config: Record<string, unknown>;
  runFolder: string | null;
}

/** As `readCatalogueRow`. */
export async function readForImport(path: string): Promise<ReadCheckpoint> {
  const description = await describeCheckpoint(path);
  const { config, runFolder } = description;
  return { row: toRow(description, null), config, runFolder };
}

function toRow(
  { config: _, tensorTable: __, runFolder: ___, ...fields }: Awaited<ReturnType<typeof describeCheckpoint>>,
  origin: CheckpointOrigin | null,
): NewCheckpoint {
  return {
    ...fields,
    id: randomUUID(),
    studyId: null,
    seed: null,
    contentHash: null,
    nonFiniteTensors: null,
    referenceId: null,
    parentId: null,
    copied: false,
    // Folders of a study are named after steps too, but the study knows better.
    ...(origin ? { trajectory: null, ...origin } : {}),
    importedAtMs: Date.now(),
  };
}

/** Checkpoints that are named as holding some of the same tensors. */
const maxSharing = 20;

/** The stored row with what its folder says now, and what hashing has found in its tensors. */
export async function readDetail(store: Store, stored: Checkpoint): Promise<CheckpointDetail> {
  const sharing = store.checkpoints.sharing(stored.id, maxSharing);
  let described: CheckpointDescription;
  try {
    described = await describeCheckpoint(stored.folder);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...stored, config: {}, tensorTable: [], fault: error.message, sharing };
  }
  const digests = new Map(store.checkpoints.digests(stored.id).map((digest) => [digest.name, digest]));
  const tensorTable = described.tensorTable.map((tensor): TensorRecord => {
    const { hash = null, norm = null, nan = null, infinite = null } = digests.get(tensor.name) ?? {};
    return { ...tensor, hash, norm, nan, infinite };
  });
  return { ...stored, config: described.config, tensorTable, fault: null, sharing };
}
