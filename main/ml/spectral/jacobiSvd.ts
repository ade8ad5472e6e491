/**
 * Thin SVD by one-sided Jacobi rotations (Hestenes 1958; Demmel and Veselic, "Jacobi's method is more accurate than QR",
 * 1992), float64. Slow, short, and convergent for every finite matrix: the fallback where LAPACK is missing, and the
 * oracle that LAPACK is tested against.
 */
import { requireFiniteMatrix, type Svd } from '../../compute/lapack.ts';

/** Far more than the 6 to 10 sweeps that matrices of a few thousand columns need. */
const MAX_SWEEPS = 60;
/** A column below this share of s_1 (times the length) is rounding noise: its direction comes from orthogonality alone. */
const EPSILON = 2 ** -52;

/** @throws NOT_FINITE | SHAPE_MISMATCH */
export function jacobiSvd(a: Float32Array | Float64Array, rows: number, columns: number): Svd<Float64Array> {
  requireFiniteMatrix(a, rows, columns);
  const long = Math.max(rows, columns);
  const rank = Math.min(rows, columns);
  // vectors of the short side, each contiguous: the columns of A when it is tall, its rows when it is wide
  const tall = rows >= columns;
  const scale = powerOfTwoScale(a);
  const left = Array.from({ length: rank }, (_, j) =>
    Float64Array.from({ length: long }, (_, i) => (tall ? a[i * columns + j]! : a[j * columns + i]!) * scale),
  );
  const right = Array.from({ length: rank }, (_, j) => {
    const unit = new Float64Array(rank);
    unit[j] = 1;
    return unit;
  });
  rotateUntilOrthogonal(left, right);

  const norms = left.map(norm);
  const order = norms.map((_, j) => j).sort((i, j) => norms[j]! - norms[i]!);
  const s = Float64Array.from(order, (j) => norms[j]! / scale);
  const longVectors = orthonormalBasis(
    order.map((j) => left[j]!),
    long,
  );
  const shortVectors = order.map((j) => right[j]!);
  const [u, v] = tall ? [longVectors, shortVectors] : [shortVectors, longVectors];
  return { rows, columns, rank, u: asColumns(u, rows), s, vt: asRows(v, columns) };
}

/** A power of two that brings the largest entry near 1: exact, and keeps squares of 1e-200 or 1e200 in range. */
function powerOfTwoScale(a: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]!));
  return largest === 0 ? 1 : 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest))));
}

function rotateUntilOrthogonal(left: Float64Array[], right: Float64Array[]): void {
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let rotations = 0;
    for (let p = 0; p < left.length - 1; p++)
      for (let q = p + 1; q < left.length; q++) rotations += rotatePair(left, right, p, q) ? 1 : 0;
    if (rotations === 0) return;
  }
}

/** Makes columns p and q orthogonal; false when they are already, to rounding. */
function rotatePair(left: Float64Array[], right: Float64Array[], p: number, q: number): boolean {
  const x = left[p]!;
  const y = left[q]!;
  const alpha = dot(x, x);
  const beta = dot(y, y);
  const gamma = dot(x, y);
  if (Math.abs(gamma) <= EPSILON * Math.sqrt(alpha) * Math.sqrt(beta)) return false;
  const zeta = (beta - alpha) / (2 * gamma);
  const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  rotate(x, y, cosine, cosine * tangent);
  rotate(right[p]!, right[q]!, cosine, cosine * tangent);
  return true;
}

function rotate(x: Float64Array, y: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < x.length; i++) {
    const old = x[i]!;
    x[i] = cosine * old - sine * y[i]!;
    y[i] = sine * old + cosine * y[i]!;
  }
}

/**
 * Unit vectors along `vectors` (descending norms), each made orthogonal to those before it. A vector lost in rounding is
 * replaced by the unit axis that is least covered so far, so that zero and rank-deficient matrices get a full basis too.
 */
function orthonormalBasis(vectors: Float64Array[], length: number): Float64Array[] {
  const noise = (vectors.length === 0 ? 0 : norm(vectors[0]!)) * length * EPSILON;
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const size = norm(vector);
    const start = size > noise ? vector.map((x) => x / size) : leastCoveredAxis(basis, length);
    const unit = orthogonalised(start, basis);
    const remaining = norm(unit);
    basis.push(unit.map((x) => x / remaining));
  }
  return basis;
}

/** Gram-Schmidt, three times: each pass removes what the one before left by rounding. */
function orthogonalised(vector: Float64Array, basis: Float64Array[]): Float64Array {
  for (let pass = 0; pass < 3; pass++)
    for (const other of basis) {
      const share = dot(vector, other);
      for (let i = 0; i < vector.length; i++) vector[i]! -= share * other[i]!;
    }
  return vector;
}

/** The unit axis with the smallest share in the span of `basis`; at least 1 / length of it lies outside. */
function leastCoveredAxis(basis: Float64Array[], length: number): Float64Array {
  const covered = Float64Array.from({ length }, (_, i) => basis.reduce((sum, other) => sum + other[i]! ** 2, 0));
  const unit = new Float64Array(length);
  unit[covered.indexOf(Math.min(...covered))] = 1;
  return unit;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

function asColumns(vectors: Float64Array[], length: number): Float64Array {
  const out = new Float64Array(length * vectors.length);
  vectors.forEach((vector, j) => vector.forEach((x, i) => (out[i * vectors.length + j] = x)));
  return out;
}

function asRows(vectors: Float64Array[], length: number): Float64Array {
  const out = new Float64Array(length * vectors.length);
  vectors.forEach((vector, j) => out.set(vector, j * length));
  return out;
}
