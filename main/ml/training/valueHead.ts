/** The critic: an MLP hidden -> 64 -> 1 with tanh on the detached final hidden state (miniature recipe, section 2). */
import type { Tensor, Tf, Variable } from '../../compute/session.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { Philox } from '../random/philox.ts';

const width = 64;
/** Standard deviation of the initial matrices; biases start at 0. */
const initialDeviation = 0.05;

export interface ValueHead {
  variables: Variable[];
  /** @returns values [rows] of hidden states [rows, hidden] */
  values(hidden: Tensor): Tensor;
}

/** Adds a freshly initialised head to the model's session; it is part of the resume state, not of the checkpoint. */
export function addValueHead(model: LanguageModel, seed: number): ValueHead {
  const tf: Tf = model.tf;
  const { hiddenSize } = model.config;
  const normal = (name: string, rows: number, columns: number): Variable => {
    const data = new Philox(seed, name).gaussians(rows * columns).map((value) => value * initialDeviation);
    return model.addVariable(name, [rows, columns], data);
  };
  const w0 = normal('value_head.0.weight', width, hiddenSize);
  const b0 = model.addVariable('value_head.0.bias', [width], new Float32Array(width));
  const w2 = normal('value_head.2.weight', 1, width);
  const b2 = model.addVariable('value_head.2.bias', [1], new Float32Array(1));
  return {
    variables: [w0, b0, w2, b2],
    values: (hidden) => {
      const middle = tf.tanh(tf.add(tf.matMul(hidden as never, w0 as never, false, true), b0));
      return tf.add(tf.matMul(middle as never, w2 as never, false, true), b2).flatten();
    },
  };
}
