/**
 * A large file written once from its beginning, past the page cache where the system can (O_DIRECT on Linux): gigabytes that
 * nobody reads soon neither push other files out of memory nor cost the copy and the fresh pages. Elsewhere, and for small
 * files, an ordinary file.
 */
import { constants, open, type FileHandle } from 'node:fs/promises';
import koffi from './koffi.ts';

/** Position, length and address of a direct write are multiples of this on every disk in use. */
const blockBytes = 4096;
const stageBytes = 4 * 2 ** 20;
/** Below this the wait for the disk is longer than the copy. */
const smallBytes = 2 ** 20;

export class NewFile {
  readonly #path: string;
  #handle: FileHandle;
  #direct: boolean;
  /** What was not written yet, when writes are direct. */
  #stage: Uint8Array | null;
  #staged = 0;
  #written = 0;
  #length = 0;
  /** The first block as it was written, for `finish`. */
  readonly #head = new Uint8Array(blockBytes);

  private constructor(path: string, handle: FileHandle, direct: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#direct = direct;
    this.#stage = direct ? takeStage() : null;
  }

  /** @param bytes about how large it will be. @throws the system's error, also when there is a file of this name */
  static async create(path: string, bytes: number): Promise<NewFile> {
    const { O_DIRECT, O_WRONLY, O_CREAT, O_EXCL } = constants;
    if (O_DIRECT !== undefined && bytes >= smallBytes)
      try {
        return new NewFile(path, await open(path, O_WRONLY | O_CREAT | O_EXCL | O_DIRECT), true);
      } catch (error) {
        // a file system that knows no direct writes, such as one in memory
        if (!isInvalid(error)) throw error;
      }
    // it may be there already: some file systems make it before they refuse
    const flags = O_WRONLY | O_CREAT | (O_DIRECT !== undefined && bytes >= smallBytes ? 0 : O_EXCL);
    return new NewFile(path, await open(path, flags), false);
  }

  /** Behind what is there. */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#length < blockBytes) this.#head.set(bytes.subarray(0, blockBytes - this.#length), this.#length);
    this.#length += bytes.byteLength;
    if (!this.#stage) return this.#writePlainly(bytes);
    for (let from = 0; from < bytes.byteLength;) {
      const part = bytes.subarray(from, from + stageBytes - this.#staged);
      this.#stage.set(part, this.#staged);
      this.#staged += part.byteLength;
      from += part.byteLength;
      if (this.#staged === stageBytes) await this.#writeStage();
    }
  }

  /** @param head replaces as many of the first bytes, up to a block: what is only known at the end */
  async finish(head: Uint8Array): Promise<void> {
    if (head.byteLength > Math.min(blockBytes, this.#length)) throw new RangeError('The head is longer than a block.');
    if (this.#staged > 0) await this.#writeStage();
    this.#head.set(head);
    this.#written = 0;
    if (this.#stage) {
      this.#stage.set(this.#head);
      this.#staged = blockBytes;
      await this.#writeStage();
      await this.#handle.truncate(this.#length);
    } else await this.#writePlainly(head);
    this.#release();
  }

  /** On the disk, and closed. */
  async flush(): Promise<void> {
    try {
      await this.#handle.datasync();
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#release();
    await this.#handle.close();
  }

  /** In whole blocks; what lies behind the last byte is cut off at the end. */
  async #writeStage(): Promise<void> {
    const bytes = this.#stage!.subarray(0, Math.ceil(this.#staged / blockBytes) * blockBytes);
    this.#staged = 0;
    try {
      await this.#writePlainly(bytes);
    } catch (error) {
      // a file system that finds out late that it knows no direct writes
      if (!this.#direct || !isInvalid(error)) throw error;
      this.#direct = false;
      await this.#handle.close();
      this.#handle = await open(this.#path, 'r+');
      await this.#writePlainly(bytes);
    }
  }

  async #writePlainly(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.byteLength - done, this.#written);
      done += bytesWritten;
      this.#written += bytesWritten;
    }
  }

  #release(): void {
    if (this.#stage) stages.push(this.#stage);
    this.#stage = null;
  }
}

const isInvalid = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EINVAL';

/** Those not in use; as many as files are ever written side by side. */
const stages: Uint8Array[] = [];

/** Memory that starts at a multiple of `blockBytes`. */
function takeStage(): Uint8Array {
  const free = stages.pop();
  if (free) return free;
  const memory = new ArrayBuffer(stageBytes + blockBytes);
  const beyond = Number(BigInt(koffi.address(new Uint8Array(memory))) % BigInt(blockBytes));
  return new Uint8Array(memory, (blockBytes - beyond) % blockBytes, stageBytes);
}
