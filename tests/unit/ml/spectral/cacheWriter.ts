/** A process that puts decompositions full of one number under one name, again and again, until it is killed. */
import { DecompositionCache } from '../../../../main/ml/spectral/decompositionCache.ts';

const [folder, key] = process.argv.slice(2) as [string, string];
const cache = new DecompositionCache(folder, 1e9);
const value = key.charCodeAt(0);
const fill = (length: number): Float32Array => new Float32Array(length).fill(value);
const [rows, columns, rank] = [200, 300, 200];
const factors = { u: fill(rows * rank), s: fill(rank), vt: fill(rank * columns) };
for (;;) {
  const put = { rows, columns, rank, ...factors, residual: 0, orthogonality: 0 };
  if (await cache.put('7'.repeat(64), 'float32', put)) process.send!('written');
}
