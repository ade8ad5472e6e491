/**
 * Counter-based random numbers: Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * A stream is named by its key, e.g. `new Philox(seed, 'sft', step)`; no state has to be saved to resume a run, and
 * the numbers are the same on every backend and machine.
 */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the 64-bit product of two uint32. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const middle2 = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + (middle2 >>> 16)) >>> 0;
}

/** One Philox-4x32-10 block: counter [4], key [2], all uint32; writes four uint32 to `out`. */
export function philoxBlock(counter: Uint32Array, key0: number, key1: number, out: Uint32Array): void {
  let c0 = counter[0]!;
  let c1 = counter[1]!;
  let c2 = counter[2]!;
  let c3 = counter[3]!;
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** FNV-1a over the UTF-16 code units, started at `basis`. */
function hashText(text: string, basis: number): number {
  let hash = basis >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

export class Philox {
  readonly #key0: number;
  readonly #key1: number;
  readonly #counter: Uint32Array;
  readonly #block = new Uint32Array(4);
  #position = 4;

  /** @param key names the stream; equal keys give equal numbers. */
  constructor(...key: (string | number)[]) {
    const text = key.join('\u001f');
    this.#key0 = hashText(text, 0x811c9dc5);
    this.#key1 = hashText(text, 0x9747b28c);
    this.#counter = Uint32Array.of(0, 0, hashText(text, 0x165667b1), hashText(text, 0x27d4eb2f));
  }

  /** Uniform over 0 .. 2^32 - 1. */
  uint32(): number {
    if (this.#position === 4) {
      philoxBlock(this.#counter, this.#key0, this.#key1, this.#block);
      if (++this.#counter[0]! === 0) this.#counter[1]!++;
      this.#position = 0;
    }
    return this.#block[this.#position++]!;
  }

  /** Uniform over (0, 1), 32 bits, never 0 or 1. */
  uniform(): number {
    return (this.uint32() + 0.5) / 4294967296;
  }

  /** Uniform integer in 0 .. n - 1, without modulo bias. */
  int(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % n;
    }
  }

  /** One element of a non-empty list. */
  choice<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }

  /** Standard normal (Box-Muller, one of the pair). */
  gaussian(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Fresh uniforms in (0, 1) strictly, float32: [length]. */
  uniforms(length: number): Float32Array {
    const out = new Float32Array(length);
    // 23 bits and a half: the most that float32 holds exactly just below 1
    for (let i = 0; i < length; i++) out[i] = ((this.uint32() >>> 9) + 0.5) / 8388608;
    return out;
  }

  /** Standard normals, float32: [length]. */
  gaussians(length: number): Float32Array {
    const out = new Float32Array(length);
    for (let i = 0; i < length; i++) out[i] = this.gaussian();
    return out;
  }

  /** A permutation of 0 .. n - 1 (Fisher-Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const swap = order[i]!;
      order[i] = order[j]!;
      order[j] = swap;
    }
    return order;
  }
}
