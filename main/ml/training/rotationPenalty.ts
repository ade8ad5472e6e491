/**
 * A penalty on turning the leading singular subspaces of a reference checkpoint away (the paper's future work, section 6).
 * With U_k, V_k the first k left and right singular vectors of the reference's W_r [m, n], the parts of W that lead out of
 * these subspaces are
 *
 *     B = U_k^T W (I - V_k V_k^T)   [k, n]        C = (I - U_k U_k^T) W V_k   [m, k]
 *     penalty = mean over matrices of (||B||_F^2 + ||C||_F^2) / ||W_r||_F^2
 *
 * It is 0 exactly when the span of V_k is mapped into that of U_k and the complement into the complement: the subspaces have
 * not turned (by Wedin, 1972, sin(theta) is at most ||B||, ||C|| over the gap at k). Values, and vectors within the span and
 * within the rest, stay free. No SVD in the step: four thin products a matrix, batched over matrices of one shape.
 */
import type { Tensor, Variable } from '../../compute/session.ts';
import type { SftSettings } from '../../contract/settings.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { reversibleMatrices, type WeightMap } from '../model/weights.ts';
import { decompose, factors } from '../spectral/decompose.ts';
import { frobeniusNorm, takeColumns, transposed } from '../spectral/linearAlgebra.ts';

/** Matrices of one shape, side by side. */
interface ShapeGroup {
  weights: string[];
  /** [matrices, rows, k] and [matrices, columns, k]. */
  u: Variable;
  v: Variable;
  /** 1 / (||W_r||_F^2 x number of all matrices), [matrices, 1, 1]. */
  scale: Variable;
}

/**
 * Adds the reference's bases to the model's session.
 * @returns the penalty inside a step, scalar
 */
export function rotationPenalty(
  model: LanguageModel,
  reference: WeightMap,
  { rankShare }: SftSettings['rotationPenalty'],
): () => Tensor {
  const { tf, session } = model;
  const matrices = reversibleMatrices(model.config);
  const byShape = Map.groupBy(matrices, ({ rows, columns }) => `${rows}x${columns}`);
  const groups = [...byShape].map(([shape, members]): ShapeGroup => {
    const { rows, columns } = members[0]!;
    const k = Math.max(1, Math.round(rankShare * Math.min(rows, columns)));
    const bases = members.map(({ name }) => {
      const weight = { rows, columns, data: reference.get(name)!.data };
      const { u, vt } = factors(decompose(weight));
      const leading = Array.from({ length: k }, (_, i) => i);
      return {
        u: takeColumns(u, leading).data,
        v: takeColumns(transposed(vt), leading).data,
        scale: 1 / (frobeniusNorm(weight.data) ** 2 * matrices.length),
      };
    });
    const variable = (part: string, size: number[], values: Float64Array[]): Variable =>
      session.variable(`rotation.${shape}.${part}`, [members.length, ...size], stacked(values), { trainable: false });
    return {
      weights: members.map(({ name }) => name),
      u: variable('u', [rows, k], bases.map(({ u }) => u)), // prettier-ignore
      v: variable('v', [columns, k], bases.map(({ v }) => v)), // prettier-ignore
      scale: variable('scale', [1, 1], bases.map(({ scale }) => Float64Array.of(scale))), // prettier-ignore
    };
  });
  return () => {
    const parts = groups.map(({ weights, u, v, scale }) => {
      const w = tf.stack(weights.map((name) => model.variable(name)));
      const left = tf.matMul(u, w, true, false);
      const right = tf.matMul(w, v);
      const core = tf.matMul(left, v);
      const b = tf.sub(left, tf.matMul(core, v, false, true));
      const c = tf.sub(right, tf.matMul(u, core));
      const size = (out: Tensor): Tensor => tf.sum(tf.mul(tf.square(out), scale));
      return tf.add(size(b), size(c));
    });
    return tf.addN(parts);
  };
}

function stacked(values: Float64Array[]): Float32Array {
  const out = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const one of values) {
    out.set(one, at);
    at += one.length;
  }
  return out;
}
