/** The file of a case: a seed file after one to four mutations, a function of (seed, case) alone. */
import { headerBytes, mutate, mutationKinds } from './mutateFile.ts';
import type { FuzzTarget } from './targets.ts';

/** Mulberry32: enough to choose mutations, and quick. */
function generator(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomMutations({ seeds, tokens }: FuzzTarget, seed: number, index: number): Buffer {
  // Neighbouring cases must not begin at neighbouring states.
  const random = generator(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  let file = pick(seeds);
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
    if (random() < 0.15) file = splice(file, random(), pick(tokens));
    else {
      const byte = random() < 0.5 ? Math.floor(random() * 256) : pick(headerBytes);
      file = mutate(file, { kind: pick(mutationKinds), at: random(), byte, count: 1 + Math.floor(random() * 12) });
    }
  }
  return file;
}

/** The token at a place; inside a header its length goes along, so that the checks behind it are reached. */
function splice(file: Buffer, at: number, token: string): Buffer {
  const place = Math.floor(at * (file.length + 1));
  const longer = Buffer.concat([file.subarray(0, place), Buffer.from(token), file.subarray(place)]);
  if (place <= 8 || file.length < 8 || file[0] === 0x7b) return longer;
  const length = file.readBigUInt64LE(0);
  if (BigInt(place - 8) <= length && length < 2n ** 40n) longer.writeBigUInt64LE(length + BigInt(token.length), 0);
  return longer;
}
