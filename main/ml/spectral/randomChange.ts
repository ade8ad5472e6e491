/**
 * What a Gaussian change of a given norm does to the singular values: the null of delta sigma, one seeded draw.
 *
 * In the bases of W's singular vectors W is diag(s) and a Gaussian G stays Gaussian, so only the singular values enter.
 * Below its first r rows, G [max, r] may be replaced by the triangular factor of its QR decomposition, whose law is known
 * (Bartlett, "On the theory of statistical regression", 1933): chi on the diagonal, normal above. The draw has the
 * law of the full one at the cost of a matrix of at most 2r x r, whatever the long side.
 */
import { newLike, type RealArray } from '../../compute/lapack.ts';
import { Philox } from '../random/philox.ts';
import { frobeniusNorm, singularValuesAsync } from './linearAlgebra.ts';

/** s(W + G) - s(W), index by index, [r], for ||G||_F = changeNorm. s: singular values of W [rows, columns], descending. */
export async function randomChangeOfSpectrum<T extends RealArray>(
  s: T,
  [rows, columns]: readonly [rows: number, columns: number],
  changeNorm: number,
  key: readonly (string | number)[],
): Promise<Float64Array> {
  const rank = s.length;
  const extra = Math.max(rows, columns) - rank;
  const height = rank + Math.min(extra, rank);
  const changed = newLike(s, height * rank);
  const random = new Philox('randomChange', ...key);
  fillGaussian(random, changed, 0, rank * rank);
  for (let i = 0; i < height - rank; i++) {
    const row = (rank + i) * rank;
    changed[row + i] = chi(random, extra - i);
    fillGaussian(random, changed, row + i + 1, row + rank);
  }
  const scale = changeNorm / frobeniusNorm(changed);
  for (let i = 0; i < changed.length; i++) changed[i]! *= scale;
  for (let i = 0; i < rank; i++) changed[i * rank + i]! += s[i]!;
  const after = await singularValuesAsync({ rows: height, columns: rank, data: changed });
  return Float64Array.from(after, (x, i) => x - s[i]!);
}

/** Standard normals into out[from] .. out[to - 1]: both of each Box-Muller pair. */
function fillGaussian(random: Philox, out: RealArray, from: number, to: number): void {
  for (let i = from; i < to; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    out[i] = radius * Math.cos(angle);
    if (i + 1 < to) out[i + 1] = radius * Math.sin(angle);
  }
}

/** Length of a vector of `degrees` standard normals (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000). */
function chi(random: Philox, degrees: number): number {
  if (degrees === 1) return Math.abs(random.gaussian());
  const d = degrees / 2 - 1 / 3;
  for (;;) {
    const x = random.gaussian();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(random.uniform()) < x * x * 0.5 + d - d * v + d * Math.log(v)) return Math.sqrt(2 * d * v);
  }
}
