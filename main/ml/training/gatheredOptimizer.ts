/**
 * AdamW on gradients that several steps gather before it is applied: an update of more rows than fit into memory at once.
 * It goes through the weights in groups, a step each: beside weights, moments and gradient there is the arithmetic of one
 * group in memory, not that of the model.
 */
import type { CompiledStep, HostArray, Tensor, TensorSpec, Variable } from '../../compute/session.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { AdamW, type AdamWSettings } from './adamW.ts';

/** Elements of a group of weights, where a single one does not have more. */
const groupElements = 32e6;

interface WeightGroup {
  /** Indices of the parameters. */
  members: number[];
  adamW: AdamW;
}

export class GatheredOptimizer {
  readonly parameters: Variable[];
  readonly #model: LanguageModel;
  readonly #name: string;
  readonly #groups: WeightGroup[];
  /** The gradient so far; no part of the run's state, because between two updates there is none. */
  readonly #gathered: Variable[];

  /** @param name prefix of its variables and steps, unique in the session. @param names of the model's variables */
  constructor(model: LanguageModel, name: string, names: readonly string[], settings: AdamWSettings) {
    const { tf, session } = model;
    this.#model = model;
    this.#name = name;
    this.parameters = names.map((one) => model.variable(one));
    this.#groups = weightGroups(this.parameters.map(({ size }) => size)).map((members, i): WeightGroup => {
      const own = members.map((index) => this.parameters[index]!);
      return { members, adamW: new AdamW(tf, session, `${name}${i}`, own, settings) };
    });
    this.#gathered = names.map((one, i) => session.scratch(`gradient ${one}`, this.parameters[i]!.shape));
  }

  /** Forgets what was gathered: the beginning of an update. */
  async clear(): Promise<void> {
    const { tf } = this.#model;
    const step = this.#model.step(`${this.#name} clear`, {}, () => {
      for (const gradient of this.#gathered) gradient.assign(tf.fill(gradient.shape, 0));
      return {};
    });
    await step.run({});
  }

  /** Inside a step: the gradient joins what was gathered. @param gradients one for each parameter, in order */
  gather(gradients: readonly Tensor[]): void {
    const { tf } = this.#model;
    gradients.forEach((gradient, i) => this.#gathered[i]!.assign(tf.add(this.#gathered[i]!, gradient)));
  }

  /** Sum of squares of each parameter's gathered gradient. */
  async gradientSquares(): Promise<Float32Array> {
    const step = this.#model.step(`${this.#name} gradient squares`, {}, () => ({ squares: this.#squares(this.#gathered) })); // prettier-ignore
    return (await step.run({}))['squares']!.data as Float32Array;
  }

  /**
   * One update by the gathered gradient.
   * @param updateNumber from 1
   * @param clip what the gradient is multiplied by (`clipCoefficient`)
   * @param withSquares whether the sum of squares of each parameter's update is wanted
   * @returns those, zeros unless wanted
   */
  async apply(updateNumber: number, learningRate: number, clip: number, withSquares: boolean): Promise<Float64Array> {
    const updateSquares = new Float64Array(this.parameters.length);
    for (const group of this.#groups) {
      const inputs: Record<string, HostArray> = {
        ...group.adamW.inputValues(updateNumber, learningRate),
        clip: Float32Array.of(clip),
      };
      const { squares } = await this.#applyStep(group, withSquares).run(inputs);
      squares?.data.forEach((square, i) => (updateSquares[group.members[i]!] = square));
    }
    return updateSquares;
  }

  #applyStep({ members, adamW }: WeightGroup, withSquares: boolean): CompiledStep {
    const { tf } = this.#model;
    const specs: Record<string, TensorSpec> = { ...adamW.inputs, clip: { shape: [], dtype: 'float32' } };
    return this.#model.step(`apply ${adamW.name}${withSquares ? ' with squares' : ''}`, specs, (inputs) => {
      const clipped = members.map((index) => tf.mul(this.#gathered[index]!, inputs['clip']!));
      const { updates } = adamW.apply(clipped, inputs, null);
      const outputs: Record<string, Tensor> = withSquares ? { squares: this.#squares(updates) } : {};
      return outputs;
    });
  }

  #squares(tensors: readonly Tensor[]): Tensor {
    const { tf } = this.#model;
    return tf.stack(tensors.map((one) => tf.sum(tf.square(one))));
  }
}

/** The norm of a gradient in parts. @param squares sums of squares of each part */
export const normOf = (...squares: readonly ArrayLike<number>[]): number =>
  Math.sqrt(squares.reduce((sum, part) => sum + Array.from(part).reduce((own, square) => own + square, 0), 0));

/** Consecutive weights together, up to `groupElements`. */
function weightGroups(sizes: readonly number[]): number[][] {
  const groups: number[][] = [];
  let elements = Infinity;
  sizes.forEach((size, index) => {
    if (elements + size > groupElements) {
      groups.push([]);
      elements = 0;
    }
    groups.at(-1)!.push(index);
    elements += size;
  });
  return groups;
}
