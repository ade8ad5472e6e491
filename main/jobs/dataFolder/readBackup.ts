/** Opens a backup that may come from anywhere, and unpacks it: everything is checked and bounded before it is written. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { BackupContents } from '../../contract/dataFolder.ts';
import { databaseName, sizeOf } from './dataFiles.ts';
import {
  backupFormatName,
  backupVersion,
  clashOf,
  isDataName,
  manifestName,
  manifestSchema,
  maxFiles,
  maxManifestBytes,
  newerBackup,
  refusedBackup,
  type Manifest,
} from './backupFormat.ts';
import { digester } from './writeBackup.ts';

export interface OpenBackup {
  contents: BackupContents;
  manifest: Manifest;
  entries: ReadonlyMap<string, Entry>;
  zip: ZipFile;
  close(): void;
}

/**
 * @param knownSchema migrations that this program has
 * @throws NOT_FOUND; STORE_INVALID naming what is wrong
 */
export async function openBackup(path: string, knownSchema: readonly string[]): Promise<OpenBackup> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new AppError('NOT_FOUND', `${path} is not there.`, { hint: 'Check the path.' });
  if (!found.isFile()) throw refusedBackup('it is not a file');
  const zip = await yauzl
    .openPromise(path, { autoClose: false, strictFileNames: true })
    .catch((cause: unknown) => Promise.reject(refusedBackup('it is not a whole zip file', undefined, cause)));
  try {
    const entries = await readEntries(zip);
    const manifest = await readManifest(zip, entries.get(manifestName));
    checkManifest(manifest, entries, knownSchema);
    const { madeAtMs, rotascope, studies, runs, checkpoints, files, leftOut } = manifest;
    const sizes = { bytes: found.size, unpacked: sizeOf(files), leftOut: sizeOf(leftOut) };
    const contents = { path, madeAtMs, rotascope, studies, runs, checkpoints, ...sizes };
    return { contents, manifest, entries, zip, close: () => zip.close() };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function readEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > maxFiles + 1) throw refusedBackup(`it holds more than ${maxFiles} files`);
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      const { fileName: name } = entry;
      if (name !== manifestName && !isDataName(name)) throw refusedBackup(`${JSON.stringify(name)} has no place in it`);
      // The upper half are Unix's mode; a link or a device is no ordinary file. 0: the zip says nothing.
      const type = (entry.externalFileAttributes >>> 16) & 0o170000;
      if (type !== 0 && type !== 0o100000) throw refusedBackup(`${name} is not an ordinary file`);
      if (entries.has(name)) throw refusedBackup(`it holds ${name} twice`);
      if (!entry.canDecodeFileData()) throw refusedBackup(`${name} is encrypted or compressed in an unknown way`);
      entries.set(name, entry);
    }
  } catch (error) {
    throw error instanceof AppError ? error : refusedBackup((error as Error).message, undefined, error);
  }
  return entries;
}

async function readManifest(zip: ZipFile, entry: Entry | undefined): Promise<Manifest> {
  if (entry === undefined) throw refusedBackup(`it has no ${manifestName}, so it is not a backup of Rotascope`);
  if (entry.uncompressedSize > maxManifestBytes)
    throw refusedBackup(`its ${manifestName} is larger than ${maxManifestBytes / 1024 ** 2} MB`);
  let json: unknown;
  try {
    json = JSON.parse((await buffer(await zip.openReadStreamPromise(entry))).toString('utf8'));
  } catch (cause) {
    throw refusedBackup(`its ${manifestName} cannot be read`, undefined, cause);
  }
  const head = z.object({ format: z.literal(backupFormatName), version: z.number() }).safeParse(json);
  if (head.success && head.data.version > backupVersion) throw newerBackup(`its format is ${head.data.version}`);
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refusedBackup(`${manifestName}: ${issue!.path.join('.')} ${issue!.message}`);
}

/** The zip holds what the manifest names, in the sizes that it names, and nothing else. */
function checkManifest(
  { files, schema, leftOut }: Manifest,
  entries: ReadonlyMap<string, Entry>,
  knownSchema: readonly string[],
): void {
  const unknown = schema.filter((name) => !knownSchema.includes(name));
  if (unknown.length > 0) throw newerBackup(`its database has ${unknown.join(', ')}`);
  const names = files.map(({ name }) => name);
  const clash = clashOf(names);
  if (clash !== null) throw refusedBackup(`${clash} is in the way of another file`);
  if (!names.includes(databaseName)) throw refusedBackup('it holds no database');
  if (entries.size !== files.length + 1) throw refusedBackup(`it holds files that its ${manifestName} does not name`);
  for (const { name, bytes } of files) {
    const entry = entries.get(name);
    if (entry === undefined || name === manifestName) throw refusedBackup(`${name} is not in it`);
    if (entry.uncompressedSize !== bytes) throw refusedBackup(`${name} has another size than it had`);
  }
  const stray = leftOut.find(({ name }) => !isDataName(name));
  if (stray) throw refusedBackup(`${JSON.stringify(stray.name)} has no place in it`);
}

/**
 * Unpacks into a new folder; every file is compared with its SHA-256 and flushed.
 * @param onBytes called with every piece that was written
 * @throws STORE_INVALID a file is damaged; the signal's reason
 */
export async function unpackBackup(
  { manifest, entries, zip }: OpenBackup,
  folder: string,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<void> {
  for (const { name, bytes, mtimeMs, sha256 } of manifest.files) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    const digest = digester(onBytes);
    try {
      const content = await zip.openReadStreamPromise(entries.get(name)!);
      await pipeline(content, digest.stream, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (isOfDisk(error)) throw error;
      throw refusedBackup(`${name} is damaged`, undefined, error);
    }
    const found = digest.result();
    if (found.bytes !== bytes || found.sha256 !== sha256) throw refusedBackup(`${name} is damaged`);
    const handle = await open(path, 'r+');
    await handle.sync().finally(() => handle.close());
    // The catalogue knows files by their times too.
    await utimes(path, mtimeMs / 1000, mtimeMs / 1000);
  }
}

const isOfDisk = (error: unknown): boolean => typeof (error as NodeJS.ErrnoException).syscall === 'string';
