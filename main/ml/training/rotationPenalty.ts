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
import type { ModelConfig } from '../model/modelConfig.ts';
import { reversibleMatrices } from '../model/weights.ts';
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
 * Adds the reference's bases to the model's session; one matrix of the reference is held at a time.
 * @param readReference a weight of the reference by its name
 * @returns the penalty inside a step, scalar
 */
export async function rotationPenalty(
  model: LanguageModel,
  readReference: (name: string) => Float32Array | Promise<Float32Array>,
  { rankShare }: SftSettings['rotationPenalty'],
): Promise<() => Tensor> {
  const { tf, session } = model;
  const matrices = reversibleMatrices(model.config);
  const groups: ShapeGroup[] = [];
  for (const [shape, members] of Map.groupBy(matrices, ({ rows, columns }) => `${rows}x${columns}`)) {
    const { rows, columns } = members[0]!;
    const k = leadingRank(rankShare, rows, columns);
    const parts = { u: new Float32Array(members.length * rows * k), v: new Float32Array(members.length * columns * k), scale: new Float32Array(members.length) }; // prettier-ignore
    for (const [i, { name }] of members.entries()) {
      const weight = { rows, columns, data: await readReference(name) };
      const { u, vt } = factors(decompose(weight));
      const leading = Array.from({ length: k }, (_, rank) => rank);
      parts.u.set(takeColumns(u, leading).data, i * rows * k);
      parts.v.set(takeColumns(transposed(vt), leading).data, i * columns * k);
      parts.scale[i] = 1 / (frobeniusNorm(weight.data) ** 2 * matrices.length);
    }
    const variable = (part: keyof typeof parts, size: number[]): Variable =>
      session.variable(`rotation.${shape}.${part}`, [members.length, ...size], parts[part], { trainable: false });
    groups.push({
      weights: members.map(({ name }) => name),
      u: variable('u', [rows, k]),
      v: variable('v', [columns, k]),
      scale: variable('scale', [1, 1]),
    });
  }
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

/** How many singular vectors of a matrix are held. */
const leadingRank = (rankShare: number, rows: number, columns: number): number =>
  Math.max(1, Math.round(rankShare * Math.min(rows, columns)));

/** What the penalty takes of memory: the bases as long as the run lasts, and one evaluation with its gradient. Bytes. */
export function rotationPenaltyBytes(config: ModelConfig, rankShare: number): { held: number; step: number } {
  const bytesPerValue = 4;
  const sum = (of: (rows: number, columns: number) => number): number =>
    bytesPerValue * reversibleMatrices(config).reduce((total, { rows, columns }) => total + of(rows, columns), 0);
  return {
    held: sum((rows, columns) => (rows + columns) * leadingRank(rankShare, rows, columns)),
    // The weights side by side, their gradient, and that times the coefficient
    step: 3 * sum((rows, columns) => rows * columns),
  };
}
