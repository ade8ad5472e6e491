/** Frobenius norms by decoder layer, inside a step: which layers a run moves. */
import type { Tensor, Tf } from '../../compute/session.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import { weightCatalogue } from '../model/weights.ts';

/** @param tensors one for each weight of the catalogue, in its order. @returns [layers] */
export function layerNorms(tf: Tf, config: ModelConfig, tensors: readonly Tensor[]): Tensor {
  const squares = Array.from({ length: config.numHiddenLayers }, (): Tensor[] => []);
  weightCatalogue(config).forEach(({ layer }, i) => {
    if (layer !== null) squares[layer]!.push(tf.sum(tf.square(tensors[i]!)));
  });
  return tf.sqrt(tf.stack(squares.map((ofLayer) => tf.addN(ofLayer))));
}

/** @param squares sum of squares of each weight of the catalogue, in its order. @returns the norm of each layer */
export function normsByLayer(config: ModelConfig, squares: ArrayLike<number>): number[] {
  const sums = new Array<number>(config.numHiddenLayers).fill(0);
  weightCatalogue(config).forEach(({ layer }, i) => {
    if (layer !== null) sums[layer]! += squares[i]!;
  });
  return sums.map(Math.sqrt);
}

/** `gradNormLayer0`, `gradNormLayer1`, ...: one metric a layer. */
export function layerMetrics(name: string, values: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(Array.from(values, (value, layer) => [`${name}Layer${layer}`, value]));
}
