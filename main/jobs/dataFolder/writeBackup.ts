/** Writes a backup as a stream, one file after the other: none of it is held in memory. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform, type PassThrough } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { AppError } from '../../contract/errors.ts';
import {
  backupFormatName,
  backupVersion,
  isDataName,
  manifestName,
  type BackupHead,
  type Manifest,
} from './backupFormat.ts';
import { databaseName, isHeavy, type DataFile } from './dataFiles.ts';

export interface BackupSource {
  dataFolder: string;
  /** Path of a consistent copy of the database, and its size. */
  snapshot: string;
  snapshotBytes: number;
  files: readonly DataFile[];
  leftOut: readonly DataFile[];
  head: BackupHead;
  signal: AbortSignal;
  /** Bytes read so far. */
  onProgress(done: number): void;
}

/**
 * @param file is overwritten
 * @throws STORE_INVALID a file has a name that no restore takes; the signal's reason
 */
export async function writeBackup(file: string, source: BackupSource): Promise<Manifest> {
  const { dataFolder, snapshot, snapshotBytes, files, leftOut, head, signal } = source;
  const madeAtMs = Date.now();
  const manifest: Manifest = {
    ...{ format: backupFormatName, version: backupVersion, madeAtMs, ...head },
    files: [],
    leftOut: leftOut.map(({ name, bytes, mtimeMs }) => ({ name, bytes, mtimeMs })),
  };
  const zip = new ZipFile();
  const output = pipeline(zip.outputStream, createWriteStream(file), { signal });
  // yazl says on itself what the streams that it reads say.
  zip.on('error', (error: Error) => (zip.outputStream as PassThrough).destroy(error));
  let done = 0;
  const add = async (path: string, { name, bytes, mtimeMs }: DataFile): Promise<void> => {
    if (!isDataName(name)) throw unusableName(name);
    const content = await openFile(path, bytes);
    if (content === null) return;
    const digest = digester((count) => source.onProgress((done += count)));
    content.once('error', (error) => digest.stream.destroy(error));
    // Weights and decompositions are noise to a compressor.
    const options = { compress: !isHeavy(name), mtime: new Date(mtimeMs), mode: ownFile };
    zip.addReadStream(content.pipe(digest.stream), name, options);
    await Promise.race([finished(digest.stream), output]);
    manifest.files.push({ name, mtimeMs, ...digest.result() });
  };
  try {
    await add(snapshot, { name: databaseName, bytes: snapshotBytes, mtimeMs: madeAtMs });
    for (const one of files) await add(join(dataFolder, one.name), one);
    zip.addBuffer(Buffer.from(JSON.stringify(manifest)), manifestName, { mtime: new Date(madeAtMs), mode: ownFile });
    zip.end();
  } catch (error) {
    (zip.outputStream as PassThrough).destroy();
    await output.catch(() => undefined);
    throw signal.aborted ? signal.reason : error;
  }
  await output;
  const handle = await open(file, 'r+');
  await handle.sync().finally(() => handle.close());
  return manifest;
}

const ownFile = 0o100600;

/** As long as it was when it was listed: a log may have grown since. Null when it went away. */
async function openFile(path: string, bytes: number): Promise<Readable | null> {
  try {
    const handle = await open(path, 'r');
    if (bytes > 0) return handle.createReadStream({ start: 0, end: bytes - 1 });
    await handle.close();
    return Readable.from([]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Passes bytes on and knows afterwards how many they were and their SHA-256. */
export function digester(onBytes: (count: number) => void): {
  stream: Transform;
  result(): { bytes: number; sha256: string };
} {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes(chunk.length);
      next(null, chunk);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}

const unusableName = (name: string): AppError =>
  new AppError('STORE_INVALID', `${JSON.stringify(name)} has a name that not every system takes.`, {
    hint: 'Rename it in the data folder, then back up again.',
  });
