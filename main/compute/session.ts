/**
 * What training, generation and evaluation see of a backend: a session owns named variables, and steps compiled in it
 * share them. The same step runs eagerly (every op as tfjs issues it) or compiled (traced once into one TensorFlow
 * graph); both give the same bits on the same TensorFlow.
 */
import type * as TensorflowJs from '@tensorflow/tfjs';
import { AppError } from '../contract/errors.ts';

export type Tf = typeof TensorflowJs;
export type Tensor = TensorflowJs.Tensor;
export type Variable = TensorflowJs.Variable;
export type HostArray = Float32Array | Int32Array;

export interface TensorSpec {
  shape: number[];
  dtype: 'float32' | 'int32';
}

export interface HostTensor {
  shape: number[];
  data: HostArray;
}

/**
 * A pure function of its named inputs that may `.assign()` variables of its session. Everything that differs from run to
 * run (batch, learning rate, masks, random numbers, step number) is an input: what else it computes from JavaScript is
 * frozen when it is compiled. Its outputs are float32, int32 or bool (which arrives as int32 zeros and ones).
 */
export type StepFunction = (inputs: Record<string, Tensor>) => Record<string, Tensor>;

export interface CompiledStep {
  /**
   * One run: data in row-major order, one array for each declared input.
   * @throws INVALID_REQUEST an input is missing, unknown or of another dtype
   * @throws SHAPE_MISMATCH an input has another number of elements than its declared shape
   * @throws COMPUTE_FAILED | OUT_OF_MEMORY what the backend reported, with the step's name
   */
  run(inputs: Record<string, HostArray>): Promise<Record<string, HostTensor>>;
  dispose(): void;
}

export interface SessionOptions {
  /** Run every op as tfjs issues it, also on TensorFlow: the reference that compiled steps are held to. */
  eager?: boolean;
}

export interface Session {
  /**
   * A new float32 variable; the session owns and disposes it.
   * @param value null: zeros, which cost no memory of JavaScript's
   * @throws CONFLICT the session has a variable of this name
   * @throws SHAPE_MISMATCH `value` has not the number of elements of `shape`
   */
  variable(name: string, shape: number[], value: Float32Array | null, options?: { trainable?: boolean }): Variable;
  /**
   * A variable for values that steps leave for later steps. It has no memory until a step assigns it, and `release` frees
   * that again; reading it before it is assigned is a mistake. Asked for again, the same one is given.
   */
  scratch(name: string, shape: number[]): Variable;
  /** Frees the memory of scratch variables, after the runs already started. @throws NOT_FOUND */
  release(names: readonly string[]): Promise<void>;
  /** The present value, a copy. @throws NOT_FOUND */
  read(name: string): Promise<Float32Array>;
  /** Replaces the value, after the runs already started. @throws NOT_FOUND | SHAPE_MISMATCH */
  write(name: string, value: Float32Array): Promise<void>;
  /**
   * Replaces the value by pieces in row-major order, after the runs already started: beside the variable there is one
   * piece in memory at a time. @throws NOT_FOUND | SHAPE_MISMATCH
   */
  fill(name: string, pieces: AsyncIterable<Float32Array>): Promise<void>;
  /** Names in the order of creation, without scratch variables: the state of a run. */
  names(): string[];
  /**
   * @param inputs name -> shape and dtype, static: one compiled step for each (batch, length)
   * @throws COMPUTE_FAILED the step reads a value in the middle, or gives other constants when traced again
   */
  compile(name: string, inputs: Record<string, TensorSpec>, step: StepFunction): CompiledStep;
  /** Frees variables and steps; idempotent. */
  dispose(): void;
}

export const elementCount = (shape: number[]): number => shape.reduce((product, size) => product * size, 1);

/** Everything `run` was given, against what the step declared. */
export function checkInputs(step: string, specs: Record<string, TensorSpec>, inputs: Record<string, HostArray>): void {
  for (const name of Object.keys(inputs)) {
    if (specs[name] === undefined) {
      const known = Object.keys(specs).join(', ');
      throw new AppError('INVALID_REQUEST', `Step "${step}" has no input "${name}".`, {
        hint: `Its inputs: ${known}.`,
      });
    }
  }
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const data = inputs[name];
    if (data === undefined)
      throw new AppError('INVALID_REQUEST', `Step "${step}" was run without its input "${name}".`);
    if (dtype === 'float32' ? !(data instanceof Float32Array) : !(data instanceof Int32Array)) {
      throw new AppError(
        'INVALID_REQUEST',
        `Input "${name}" of step "${step}" is ${data.constructor.name}, not ${dtype}.`,
      );
    }
    checkElementCount(`Input "${name}" of step "${step}"`, shape, data);
  }
}

/** @throws SHAPE_MISMATCH */
export function checkElementCount(what: string, shape: number[], data: ArrayLike<number>): void {
  if (data.length === elementCount(shape)) return;
  throw new AppError(
    'SHAPE_MISMATCH',
    `${what} has ${data.length} elements; [${shape.join(', ')}] needs ${elementCount(shape)}.`,
  );
}

/**
 * The pieces of one variable, one after the other, with the element each begins at.
 * @throws SHAPE_MISMATCH together they are more or fewer elements than `size`
 */
export async function eachPiece(
  name: string,
  size: number,
  pieces: AsyncIterable<Float32Array>,
  take: (values: Float32Array, fromElement: number) => void,
): Promise<void> {
  let count = 0;
  for await (const piece of pieces) {
    if (count + piece.length <= size) take(piece, count);
    count += piece.length;
  }
  if (count === size) return;
  throw new AppError('SHAPE_MISMATCH', `Variable "${name}" has ${size} elements; it was given ${count}.`);
}

/** The named variables of one session: tfjs variables under a prefix of their own, because tfjs keeps one global list. */
export class VariableTable {
  static #sessions = 0;
  readonly #prefix = `session${VariableTable.#sessions++}/`;
  readonly #variables = new Map<string, Variable>();
  readonly #scratch = new Set<string>();
  readonly #tf: Tf;

  constructor(tf: Tf) {
    this.#tf = tf;
  }

  /**
   * @param kind what `names` leaves out is 'scratch'
   * @param makeInitial called once the name is known to be free
   */
  add(name: string, kind: 'trainable' | 'fixed' | 'scratch', makeInitial: () => Tensor): Variable {
    if (this.#variables.has(name)) throw new AppError('CONFLICT', `The session already has a variable "${name}".`);
    const initial = makeInitial();
    const variable = this.#tf.variable(initial, kind === 'trainable', this.#prefix + name, 'float32');
    initial.dispose();
    this.#variables.set(name, variable);
    if (kind === 'scratch') this.#scratch.add(name);
    return variable;
  }

  find(name: string): Variable | undefined {
    return this.#variables.get(name);
  }

  get(name: string): Variable {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new AppError('NOT_FOUND', `The session has no variable "${name}".`);
    return variable;
  }

  entries(): [string, Variable][] {
    return [...this.#variables];
  }

  names(): string[] {
    return [...this.#variables.keys()].filter((name) => !this.#scratch.has(name));
  }

  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
    this.#variables.clear();
  }
}
