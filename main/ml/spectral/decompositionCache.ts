/**
 * Decompositions on disk, one file each, named by the tensor's hash and the precision: equal tensors of any checkpoint are
 * decomposed once. A damaged file counts as absent and is removed. Several processes may use one folder: files appear whole
 * (written aside, renamed), and what one of them removes is merely absent for the others.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { NewFile } from '../../compute/newFile.ts';
import type { Precision } from '../../contract/spectral.ts';
import type { Factorisation } from './decompose.ts';
import { decompositionBytes, readDecomposition, writeDecomposition } from './decompositionFile.ts';
import type { RealOf } from './linearAlgebra.ts';

/** Where they lie in the folder of everything that can be computed again. */
export const decompositionsFolder = (cacheFolder: string): string => join(cacheFolder, 'decompositions');

const ending = '.svd';
const partialEnding = '.partial';
/** Nobody writes one file for an hour: what is left is of a process that was killed. */
const stalePartialMs = 3_600_000;
/** The folder is looked through again after this share of the budget was written: others may be writing too. */
const recountShare = 0.02;

export class DecompositionCache {
  readonly folder: string;
  readonly budgetBytes: number;
  /** Why the last decomposition could not be kept (a full disk); null while all is well. */
  problem: string | null = null;
  /** Bytes in the folder when it was last looked through, with what was written since; null before the first look. */
  #counted: { bytes: number; since: number } | null = null;

  /**
   * @param cacheFolder the decompositions go to a folder of their own in it
   * @param budgetBytes what they may take; what was not used for the longest time goes first
   */
  constructor(cacheFolder: string, budgetBytes: number) {
    this.folder = decompositionsFolder(cacheFolder);
    this.budgetBytes = budgetBytes;
  }

  /** Whether there is a file; it may still turn out to be damaged. */
  async has(hash: string, precision: Precision): Promise<boolean> {
    return (await stat(this.#path(hash, precision)).catch(() => null)) !== null;
  }

  /** @returns null when it is not there, or was damaged and has been removed */
  async get<P extends Precision>(hash: string, precision: P): Promise<Factorisation<RealOf<P>> | null> {
    const path = this.#path(hash, precision);
    const handle = await open(path, 'r').catch(() => null);
    if (handle === null) return null;
    let found: Factorisation<RealOf<P>> | null = null;
    try {
      found = await readDecomposition(handle, precision);
    } catch {
      // a sector that cannot be read: as damaged as wrong bytes
    } finally {
      await handle.close();
    }
    const now = new Date();
    // used now; another process may have removed it meanwhile
    if (found) await utimes(path, now, now).catch(() => undefined);
    else await rm(path, { force: true }).catch(() => undefined);
    return found;
  }

  /** Keeps it, unless it alone exceeds the budget or the disk refuses (`problem`): a result is not lost for want of a cache. */
  async put<P extends Precision>(
    hash: string,
    precision: P,
    factorisation: Factorisation<RealOf<P>>,
  ): Promise<boolean> {
    const bytes = decompositionBytes(factorisation, precision);
    if (bytes > this.budgetBytes) return false;
    const path = this.#path(hash, precision);
    try {
      await this.#write(path, precision, factorisation);
      await this.#keepBudget(bytes);
      this.problem = null;
      return true;
    } catch (error) {
      this.problem = textOf(error);
      return false;
    }
  }

  /**
   * The file appears whole under its name, and goes to the disk without being waited for: what a power failure tears is found
   * by its checksum, and no decomposition has to wait for the disk.
   */
  async #write<P extends Precision>(
    path: string,
    precision: P,
    factorisation: Factorisation<RealOf<P>>,
  ): Promise<void> {
    const partial = `${path}.${process.pid}-${randomUUID()}${partialEnding}`;
    const file = await this.#create(partial, decompositionBytes(factorisation, precision));
    try {
      await writeDecomposition(file, precision, factorisation);
      await rename(partial, path);
    } catch (error) {
      await file.close();
      await rm(partial, { force: true }).catch(() => undefined);
      throw error;
    }
    file.flush().catch((error: unknown) => {
      this.problem = textOf(error);
    });
  }

  /** In the folder, which is made when it is found missing. */
  async #create(path: string, bytes: number): Promise<NewFile> {
    try {
      return await NewFile.create(path, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await mkdir(this.folder, { recursive: true });
      return NewFile.create(path, bytes);
    }
  }

  async #keepBudget(writtenBytes: number): Promise<void> {
    if (this.#counted) {
      this.#counted.bytes += writtenBytes;
      this.#counted.since += writtenBytes;
      const { bytes, since } = this.#counted;
      if (bytes <= this.budgetBytes && since <= recountShare * this.budgetBytes) return;
    }
    this.#counted = { bytes: await this.#evict(), since: 0 };
  }

  /** Removes the least recently used until the rest fits, and what killed processes left half written. */
  async #evict(): Promise<number> {
    const files: { path: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const found = await stat(path).catch(() => null);
      if (!found?.isFile()) continue;
      if (name.endsWith(ending)) files.push({ path, bytes: found.size, usedMs: found.mtimeMs });
      else if (name.endsWith(partialEnding) && Date.now() - found.mtimeMs > stalePartialMs)
        await rm(path, { force: true });
    }
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.budgetBytes) break;
      await rm(path, { force: true });
      total -= bytes;
    }
    return total;
  }

  #path(hash: string, precision: Precision): string {
    return join(this.folder, `${hash}-${precision}${ending}`);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
