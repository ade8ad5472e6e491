/**
 * The folder that an export writes: `<folder>.partial` until it is whole. `rotascope.json` in either says of which recipe it
 * is, and in the partial one which shards are whole; a folder without it is somebody else's and is left alone.
 */
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { exportReportSchema, type ExportReport } from '../../contract/sweeps.ts';
import { writeText } from '../../ml/checkpoints/companionFiles.ts';
import { syncFolder } from '../../ml/checkpoints/writeCheckpoint.ts';

const markerName = 'rotascope.json';

const shardSchema = z.object({
  bytes: z.number(),
  /** What the shard's edits were, as the job left them. */
  facts: z.unknown(),
});
const markerSchema = z.object({
  recipeHash: z.string(),
  shards: z.record(z.string(), shardSchema),
  report: exportReportSchema.nullable(),
});
type Marker = z.infer<typeof markerSchema>;

async function markerOf(folder: string): Promise<Marker | null> {
  try {
    return markerSchema.parse(JSON.parse(await readFile(join(folder, markerName), 'utf8')));
  } catch {
    return null;
  }
}

const entriesOf = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

export class ExportFolder {
  readonly folder: string;
  readonly partial: string;
  /** The report of an export of the same recipe that is there already. */
  readonly finished: ExportReport | null;
  readonly #marker: Marker;

  private constructor(folder: string, marker: Marker) {
    this.folder = folder;
    this.partial = `${folder}.partial`;
    this.finished = marker.report;
    this.#marker = marker;
  }

  /** @throws CONFLICT the folder, or its `.partial`, holds something else */
  static async open(folder: string, recipeHash: string): Promise<ExportFolder> {
    const whole = await markerOf(folder);
    if (whole?.recipeHash === recipeHash && whole.report) return new ExportFolder(folder, whole);
    if ((await entriesOf(folder)).length > 0)
      throw new AppError('CONFLICT', `${folder} holds ${whole ? 'another export' : 'something else'}.`, {
        hint: 'Choose an empty or a new folder.',
      });
    const partial = `${folder}.partial`;
    const begun = await markerOf(partial);
    if (begun?.recipeHash === recipeHash) return new ExportFolder(folder, begun);
    if (!begun && (await entriesOf(partial)).length > 0)
      throw new AppError('CONFLICT', `${partial}, where the export would be written, holds something else.`, {
        hint: 'Move it away, or choose another folder.',
      });
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    const opened = new ExportFolder(folder, { recipeHash, shards: {}, report: null });
    await opened.#save();
    return opened;
  }

  /** @throws DISK_FULL before anything is written */
  async requireSpace(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.partial);
    const free = bavail * bsize;
    const written = Object.values(this.#marker.shards).reduce((sum, shard) => sum + shard.bytes, 0);
    if (free >= bytes - written) return;
    const gigabytes = (n: number): string => `${(n / 1e9).toFixed(1)} GB`;
    throw new AppError('DISK_FULL', `The export takes ${gigabytes(bytes)}; ${gigabytes(free)} are free.`, {
      hint: 'Free some disk space, or choose a folder on another disk.',
    });
  }

  /** Writes a shard unless an earlier attempt has. @returns what was known of it then, or is now */
  async shard<F>(name: string, schema: z.ZodType<F>, write: (path: string) => Promise<F>): Promise<F> {
    const path = join(this.partial, name);
    const before = this.#marker.shards[name];
    const size = await stat(path).catch(() => null);
    const facts = schema.safeParse(before?.facts);
    if (before && facts.success && size?.size === before.bytes) return facts.data;
    await rm(path, { force: true });
    const written = await write(path);
    this.#marker.shards[name] = { bytes: (await stat(path)).size, facts: written };
    await this.#save();
    return written;
  }

  async text(name: string, text: string): Promise<void> {
    await writeText(join(this.partial, name), text);
  }

  /** Takes its name. @param report without counts, which are taken here */
  async finish(
    report: Omit<ExportReport, 'files' | 'bytes' | 'folder'>,
    card: (report: ExportReport) => string,
  ): Promise<ExportReport> {
    const counted = { ...report, folder: this.folder, ...(await this.#count()) };
    await this.text('README.md', card(counted));
    this.#marker.report = { ...counted, ...(await this.#count()) };
    await this.#save();
    await rmdir(this.folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    await mkdir(dirname(this.folder), { recursive: true });
    await syncFolder(this.partial);
    await rename(this.partial, this.folder);
    await syncFolder(dirname(this.folder));
    return this.#marker.report;
  }

  async #count(): Promise<{ files: number; bytes: number }> {
    const names = await readdir(this.partial);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(this.partial, name))).size));
    return { files: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }

  async #save(): Promise<void> {
    await this.text(markerName, `${JSON.stringify(this.#marker, null, 2)}\n`);
  }
}
