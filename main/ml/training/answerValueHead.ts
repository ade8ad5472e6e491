/**
 * The critic of RL in text, on the final hidden state of the last prompt token: one layer, or as in the published runs
 * h -> h/4 -> h/8 -> 1 with ReLU. Its gradient reaches the model, as it does there.
 */
import type { Tensor } from '../../compute/session.ts';
import type { TextRlSettings } from '../../contract/settings.ts';
import { applyLinear } from '../model/decoder.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { Philox } from '../random/philox.ts';

export interface AnswerValueHead {
  /** Names of its variables. */
  names: string[];
  /** @returns values [rows] of hidden states [rows, hidden] */
  values(hidden: Tensor): Tensor;
}

/**
 * Adds a fresh head to the model's session, initialised as torch's `Linear` is: uniform over +-1/sqrt(inputs). It is part
 * of the resume state, not of the checkpoint.
 */
export function addAnswerValueHead(
  model: LanguageModel,
  kind: TextRlSettings['valueHead'],
  seed: number,
): AnswerValueHead {
  const { tf } = model;
  const { hiddenSize } = model.config;
  const middle = kind === 'mlp' ? [Math.ceil(hiddenSize / 4), Math.ceil(hiddenSize / 8)] : [];
  const widths = [hiddenSize, ...middle, 1];
  const names: string[] = [];
  const uniform = (name: string, shape: number[], bound: number): void => {
    const size = shape.reduce((product, one) => product * one, 1);
    const data = new Philox(seed, name).uniforms(size).map((value) => (2 * value - 1) * bound);
    model.addVariable(name, shape, data);
    names.push(name);
  };
  const layers = widths.slice(1).map((outputs, i) => {
    const inputs = widths[i]!;
    const name = `value_head.${i}`;
    uniform(`${name}.weight`, [outputs, inputs], 1 / Math.sqrt(inputs));
    uniform(`${name}.bias`, [outputs], 1 / Math.sqrt(inputs));
    return { weight: model.variable(`${name}.weight`), bias: model.variable(`${name}.bias`) };
  });
  return {
    names,
    values: (hidden) => {
      const last = layers.length - 1;
      const x = layers.slice(0, last).reduce((y, layer) => tf.relu(applyLinear(tf, layer, y)), hidden);
      return applyLinear(tf, layers[last]!, x).flatten();
    },
  };
}
