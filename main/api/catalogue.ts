/** Rows of the checkpoint catalogue, made from headers and configs: no weight is read. */
import { randomUUID } from 'node:crypto';
import type { Checkpoint, CheckpointDetail } from '../contract/api.ts';
import { describeCheckpoint } from '../ml/checkpoints/describeCheckpoint.ts';

/** What a study knows of a checkpoint that it wrote. */
export interface CheckpointOrigin {
  name: string;
  studyId: string;
  seed: number | null;
  step: number | null;
}

/** @throws NOT_FOUND, CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE, CHECKPOINT_UNSUPPORTED */
export async function readCatalogueRow(
  path: string,
  origin: CheckpointOrigin | null = null,
): Promise<Omit<Checkpoint, 'missing'>> {
  const { config: _, tensorTable: __, ...row } = await describeCheckpoint(path);
  return {
    ...row,
    id: randomUUID(),
    studyId: null,
    seed: null,
    contentHash: null,
    nonFiniteTensors: null,
    trajectory: null,
    referenceId: null,
    parentId: null,
    copied: false,
    ...origin,
    importedAtMs: Date.now(),
  };
}

/** The stored row with what its folder says now. @throws NOT_FOUND and others when the folder is gone or damaged */
export async function readDetail(stored: Checkpoint): Promise<CheckpointDetail> {
  const { config, tensorTable } = await describeCheckpoint(stored.folder);
  return { ...stored, config, tensorTable };
}
