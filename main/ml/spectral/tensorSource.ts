/** The matrices of one checkpoint on disk, read one at a time or by rows: a model is never held whole. */
import { AppError } from '../../contract/errors.ts';
import { projections } from '../../contract/spectral.ts';
import { type Checkpoint, type CheckpointTensor, openCheckpoint } from '../checkpoints/openCheckpoint.ts';
import { startTensorHash } from '../checkpoints/tensorHash.ts';
import { dtypeBits, isFloatDtype, widenToFloat32 } from '../safetensors/dtypes.ts';
import type { RealArray } from '../../compute/lapack.ts';
import type { Matrix } from './linearAlgebra.ts';
import { parseTargetWeight, type TargetWeight } from './targetWeights.ts';

/** Read at once: large enough for a disk's full speed, small beside any matrix that takes long. */
const chunkBytes = 4 * 2 ** 20;

export interface TensorSource {
  folder: string;
  /** What can be decomposed, by layer and then in the order of `projections`. */
  targets: TargetWeight[];
  /** @throws NOT_FOUND | SHAPE_MISMATCH (not two-dimensional, or empty) */
  shape(name: string): [rows: number, columns: number];
  /** `tensorHash.ts` of the stored tensor; read once, then remembered. @throws NOT_FOUND */
  hash(name: string): Promise<string>;
  /** Widened to float32 (F64 is rounded). @throws NOT_FOUND | SHAPE_MISMATCH | CHECKPOINT_UNSUPPORTED (not floating point) */
  read(name: string): Promise<Matrix<Float32Array>>;
  /** Rows `from` to `from + count`. @throws as `read`; RangeError beyond the last row */
  readRows(name: string, from: number, count: number): Promise<Matrix<Float32Array>>;
  /** Rows from `from` on, into an array of either precision whose length is a whole number of rows. @throws as `readRows` */
  readInto(name: string, from: number, into: RealArray): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param knownHashes tensor hashes that were computed before (of these very files), by name
 * @throws as `openCheckpoint`
 */
export async function openTensorSource(
  folder: string,
  knownHashes: Iterable<readonly [name: string, hash: string]> = [],
): Promise<TensorSource> {
  return new CheckpointSource(folder, await openCheckpoint(folder), knownHashes);
}

class CheckpointSource implements TensorSource {
  readonly folder: string;
  readonly targets: TargetWeight[];
  readonly #checkpoint: Checkpoint;
  readonly #hashes: Map<string, Promise<string>>;

  constructor(folder: string, checkpoint: Checkpoint, knownHashes: Iterable<readonly [string, string]>) {
    this.folder = folder;
    this.#checkpoint = checkpoint;
    this.#hashes = new Map([...knownHashes].map(([name, hash]) => [name, Promise.resolve(hash)]));
    this.targets = [...checkpoint.tensors.keys()]
      .map(parseTargetWeight)
      .filter((target) => target !== null)
      .sort((a, b) => a.layer - b.layer || projections.indexOf(a.matrix) - projections.indexOf(b.matrix));
  }

  shape(name: string): [rows: number, columns: number] {
    const { shape } = this.#tensor(name);
    const [rows, columns] = shape;
    if (shape.length !== 2 || !rows || !columns)
      throw new AppError(
        'SHAPE_MISMATCH',
        `"${name}" has the shape [${shape.join(', ')}]; only matrices can be decomposed.`,
      );
    return [rows, columns];
  }

  hash(name: string): Promise<string> {
    let hash = this.#hashes.get(name);
    if (!hash) this.#hashes.set(name, (hash = this.#computeHash(name)));
    return hash;
  }

  async read(name: string): Promise<Matrix<Float32Array>> {
    return this.readRows(name, 0, this.shape(name)[0]);
  }

  async readRows(name: string, from: number, count: number): Promise<Matrix<Float32Array>> {
    const [, columns] = this.shape(name);
    const data = new Float32Array(count * columns);
    await this.readInto(name, from, data);
    return { rows: count, columns, data };
  }

  async readInto(name: string, from: number, into: RealArray): Promise<void> {
    const [, columns] = this.shape(name);
    const { dtype } = this.#tensor(name);
    if (!isFloatDtype(dtype))
      throw new AppError('CHECKPOINT_UNSUPPORTED', `"${name}" holds ${dtype} values, not floating point.`, {
        hint: 'Save the weights as F32, F16 or BF16.',
      });
    const elementBytes = dtypeBits(dtype)! / 8;
    const chunk = chunkBytes / elementBytes;
    // float64 goes through one float32 chunk, float32 is widened where it belongs
    const between = into instanceof Float32Array ? null : new Float32Array(Math.min(chunk, into.length));
    for (let done = 0; done < into.length; done += chunk) {
      const count = Math.min(chunk, into.length - done);
      const start = (from * columns + done) * elementBytes;
      const bytes = await this.#checkpoint.readBytes(name, start, count * elementBytes);
      if (between) into.set(widenToFloat32(dtype, bytes, between.subarray(0, count)), done);
      else widenToFloat32(dtype, bytes, (into as Float32Array).subarray(done, done + count));
    }
  }

  close(): Promise<void> {
    return this.#checkpoint.close();
  }

  async #computeHash(name: string): Promise<string> {
    const tensor = this.#tensor(name);
    const hash = startTensorHash(tensor);
    const bytes = tensor.end - tensor.begin;
    for (let from = 0; from < bytes; from += chunkBytes)
      hash.update(await this.#checkpoint.readBytes(name, from, Math.min(chunkBytes, bytes - from)));
    return hash.digest('hex');
  }

  #tensor(name: string): CheckpointTensor {
    const tensor = this.#checkpoint.tensors.get(name);
    if (tensor) return tensor;
    throw new AppError('NOT_FOUND', `The checkpoint has no weight "${name}".`, {
      hint: 'Compare checkpoints of one training run.',
    });
  }
}
