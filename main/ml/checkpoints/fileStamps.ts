/** Files of a checkpoint as they are on the disk, and what has become of them since they were last looked at. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileStamp } from '../../contract/catalogue.ts';
import { AppError } from '../../contract/errors.ts';
import { fileOfFolder } from './folderFiles.ts';
import { printable } from './importCodes.ts';
import { type CheckpointPlace, isCompanionName, listFolder } from './locateCheckpoint.ts';
import { type Checkpoint, type CheckpointTensor, openCheckpoint } from './openCheckpoint.ts';

/** Weight files, their index, and the config and tokenizer beside them; by name. */
export async function fileStamps({ place, files, tensors }: Checkpoint): Promise<FileStamp[]> {
  const companions = place.ownsFolder ? await companionsOf(place) : [];
  const names = new Set([...files, place.file, ...companions]);
  const isWeights = new Set(files);
  const byFile = Map.groupBy(tensors.values(), ({ file }) => file);
  const stamps = await Promise.all(
    [...names].map(async (name): Promise<FileStamp | null> => {
      const headerHash = isWeights.has(name) ? fileHeaderHash(byFile.get(name) ?? []) : null;
      return stampOf(place.root, name, headerHash);
    }),
  );
  return stamps.filter((stamp) => stamp !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function companionsOf({ root }: CheckpointPlace): Promise<string[]> {
  return (await listFolder(root)).files.filter(isCompanionName);
}

/** @returns null when there is no such file (any more) */
async function stampOf(root: string, name: string, headerHash: string | null): Promise<FileStamp | null> {
  const path = await fileOfFolder(root, name).catch(() => null);
  const found = path === null ? null : await stat(path).catch(() => null);
  return found && { name, bytes: found.size, mtimeMs: Math.floor(found.mtimeMs), headerHash };
}

/** Names, types, shapes and places of the tensors of one file: equal when its header says the same. */
function fileHeaderHash(tensors: readonly CheckpointTensor[]): string {
  const hash = createHash('sha256');
  for (const { name, dtype, shape, begin, end } of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end))
    hash.update(`${JSON.stringify([name, dtype, begin, end, ...shape])}\n`);
  return hash.digest('hex');
}

export interface FileChanges {
  /** Whole sentences; empty when everything is as it was. */
  findings: string[];
  /** A file was written again, with the same size and header: only its content can tell. */
  rewritten: boolean;
  /** As they are now; null when the checkpoint cannot be opened any more. */
  stamps: FileStamp[] | null;
}

/**
 * @param location opens the checkpoint
 * @param before its files as they were
 */
export async function fileChanges(location: string, before: readonly FileStamp[]): Promise<FileChanges> {
  let now: FileStamp[] | null = null;
  let fault: string | null = null;
  try {
    const checkpoint = await openCheckpoint(location);
    try {
      now = await fileStamps(checkpoint);
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    fault = error.message;
  }
  const root = await folderOf(location);
  const present = now ?? (await stampsByName(root, before));
  const known = new Set(before.map(({ name }) => name));
  const unlisted = await unlistedWeights(root, location, new Set([...known, ...present.map(({ name }) => name)]));
  const compared = compareStamps(before, present, now === null);
  const findings = [...compared.findings, ...unlisted.map(newFile)];
  // A missing shard is named already; its fault says the same again.
  if (fault !== null && findings.length === 0) findings.push(fault);
  return { findings, rewritten: compared.rewritten, stamps: now };
}

const folderOf = async (location: string): Promise<string> =>
  (await stat(location).catch(() => null))?.isDirectory() === false ? dirname(location) : location;

async function stampsByName(root: string, before: readonly FileStamp[]): Promise<FileStamp[]> {
  const stamps = await Promise.all(before.map(({ name, headerHash }) => stampOf(root, name, headerHash)));
  return stamps.filter((stamp) => stamp !== null);
}

/** Weight files in the checkpoint's own folder that belong to nothing that is known. */
async function unlistedWeights(root: string, location: string, known: ReadonlySet<string>): Promise<string[]> {
  if (location !== root) return [];
  const files = await listFolder(root).then(
    (listing) => listing.files,
    () => [],
  );
  return files.filter((name) => name.endsWith('.safetensors') && !known.has(name));
}

const newFile = (name: string): string =>
  `${printable(name)} is new: it was not there when the checkpoint was last looked at.`;

/** @param namesOnly headers could not be read: only names, sizes and times are compared */
export function compareStamps(
  before: readonly FileStamp[],
  now: readonly FileStamp[],
  namesOnly = false,
): Pick<FileChanges, 'findings' | 'rewritten'> {
  const found = new Map(now.map((stamp) => [stamp.name, stamp]));
  const findings: string[] = [];
  let rewritten = false;
  for (const was of before) {
    const is = found.get(was.name);
    const name = printable(was.name);
    found.delete(was.name);
    if (is === undefined) findings.push(`${name} is missing.`);
    else if (is.bytes !== was.bytes)
      findings.push(`${name} has ${is.bytes.toLocaleString('en')} bytes; it had ${was.bytes.toLocaleString('en')}.`);
    else if (!namesOnly && is.headerHash !== was.headerHash)
      findings.push(`${name} lists other tensors than before: its header has changed.`);
    else if (is.mtimeMs !== was.mtimeMs) {
      rewritten = true;
      const when = new Date(is.mtimeMs).toISOString().slice(0, 19).replace('T', ' ');
      findings.push(
        `${name} was written again at ${when} UTC, with the same size${was.headerHash ? ' and header' : ''}.`,
      );
    }
  }
  return { findings: [...findings, ...[...found.keys()].map(newFile)], rewritten };
}
