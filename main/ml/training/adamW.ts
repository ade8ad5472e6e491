/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, 2019), as torch.optim.AdamW computes it, on one flat vector
 * for all parameters of a group: few ops however many parameters, and two tensors to save. The step number is an
 * integer kept by the caller; what depends on it enters as inputs, so a resumed run goes on bit for bit.
 */
import type { HostArray, Session, Tensor, TensorSpec, Tf, Variable } from '../../compute/session.ts';

export interface AdamWSettings {
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
}

/** The miniature recipe: betas 0.9 and 0.95, torch's eps. */
export const miniatureAdamW: AdamWSettings = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0 };

/** Added to the norm before dividing, as torch.nn.utils.clip_grad_norm_ does. */
const CLIP_EPS = 1e-6;

/** What a gradient of this norm is multiplied by, so that its norm is at most `maxGradNorm`. */
export const clipCoefficient = (gradNorm: number, maxGradNorm: number): number =>
  Math.min(1, maxGradNorm / (gradNorm + CLIP_EPS));

export class AdamW {
  readonly name: string;
  readonly #tf: Tf;
  readonly #parameters: Variable[];
  readonly #settings: AdamWSettings;
  readonly #firstMoment: Variable;
  readonly #secondMoment: Variable;

  /**
   * Adds the variables `<name>.firstMoment` and `<name>.secondMoment` [all elements] to the session.
   * @param name unique in the session; prefix of the step inputs too
   */
  constructor(tf: Tf, session: Session, name: string, parameters: Variable[], settings: AdamWSettings) {
    const count = parameters.reduce((sum, parameter) => sum + parameter.size, 0);
    const moment = (which: string): Variable => {
      return session.variable(`${name}.${which}`, [count], null, { trainable: false });
    };
    this.name = name;
    this.#tf = tf;
    this.#parameters = parameters;
    this.#settings = settings;
    this.#firstMoment = moment('firstMoment');
    this.#secondMoment = moment('secondMoment');
  }

  /** The session variables that hold its state. */
  get stateNames(): string[] {
    return [`${this.name}.firstMoment`, `${this.name}.secondMoment`];
  }

  /** What a step that calls `apply` declares. */
  get inputs(): Record<string, TensorSpec> {
    const scalar: TensorSpec = { shape: [], dtype: 'float32' };
    return { [`${this.name}.stepSize`]: scalar, [`${this.name}.varianceScale`]: scalar, [`${this.name}.keep`]: scalar };
  }

  /**
   * Values of `inputs` for one update, bias correction included.
   * @param step number of this update, from 1
   */
  inputValues(step: number, learningRate: number): Record<string, HostArray> {
    const { beta1, beta2, weightDecay } = this.#settings;
    return {
      [`${this.name}.stepSize`]: Float32Array.of(learningRate / (1 - beta1 ** step)),
      [`${this.name}.varianceScale`]: Float32Array.of(1 / Math.sqrt(1 - beta2 ** step)),
      [`${this.name}.keep`]: Float32Array.of(1 - learningRate * weightDecay),
    };
  }

  /**
   * One update, inside a step.
   * @param gradients one for each parameter, in order
   * @param maxGradNorm clips by the global norm of this group; null: no clipping
   * @returns the norm before clipping, scalar, and what each parameter was lowered by, weight decay apart
   */
  apply(
    gradients: Tensor[],
    inputs: Record<string, Tensor>,
    maxGradNorm: number | null,
  ): { gradNorm: Tensor; updates: Tensor[] } {
    const tf = this.#tf;
    const { beta1, beta2, eps, weightDecay } = this.#settings;
    const flat = tf.concat(gradients.map((gradient) => gradient.flatten()), 0); // prettier-ignore
    const gradNorm = tf.sqrt(tf.sum(tf.square(flat)));
    const coefficient = maxGradNorm === null ? null : tf.minimum(1, tf.div(maxGradNorm, tf.add(gradNorm, CLIP_EPS)));
    const gradient = coefficient === null ? flat : tf.mul(flat, coefficient);
    const first = tf.add(tf.mul(this.#firstMoment, beta1), tf.mul(gradient, 1 - beta1));
    const second = tf.add(tf.mul(this.#secondMoment, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const deviation = tf.add(tf.mul(tf.sqrt(second), inputs[`${this.name}.varianceScale`]!), eps);
    const update = tf.mul(tf.div(first, deviation), inputs[`${this.name}.stepSize`]!);
    this.#firstMoment.assign(first);
    this.#secondMoment.assign(second);
    const sizes = this.#parameters.map((parameter) => parameter.size);
    const updates = sizes.length === 1 ? [update] : tf.split(update, sizes, 0);
    this.#parameters.forEach((parameter, index) => {
      const kept = weightDecay === 0 ? parameter : tf.mul(parameter, inputs[`${this.name}.keep`]!);
      parameter.assign(tf.sub(kept, updates[index]!.reshape(parameter.shape)));
    });
    return { gradNorm, updates };
  }
}

/**
 * Loss and the gradients of the given variables, zeros where the loss does not depend on one.
 * @param forward returns the scalar loss
 */
export function lossGradients(
  tf: Tf,
  variables: Variable[],
  forward: () => Tensor,
): { loss: Tensor; gradients: Tensor[] } {
  const { value, grads } = tf.variableGrads(forward as never, variables);
  const gradients = variables.map((variable) => grads[variable.name] ?? tf.zerosLike(variable));
  return { loss: value, gradients };
}

/**
 * `lossGradients`, with further values of the same forward pass.
 * @param forward returns the scalar loss and what is wanted beside it
 */
export function lossGradientsWith<Kept extends Record<string, Tensor>>(
  tf: Tf,
  variables: Variable[],
  forward: () => { loss: Tensor; kept: Kept },
): { loss: Tensor; gradients: Tensor[]; kept: Kept } {
  const outside: [string, Tensor][] = [];
  const { loss, gradients } = lossGradients(tf, variables, () => {
    const { loss, kept } = forward();
    // Kept across the end of the gradient's own scope, which frees everything else.
    for (const [name, value] of Object.entries(kept)) outside.push([name, tf.keep(value.clone())]);
    return loss;
  });
  const released = outside.map(([name, value]) => {
    const copy = value.clone();
    value.dispose();
    return [name, copy];
  });
  return { loss, gradients, kept: Object.fromEntries(released) as Kept };
}
