/**
 * Records one call of a step as the list of TensorFlow ops it issues. Every op of tfjs's native backend, the gradients
 * that tfjs derives included, passes through one call, `binding.executeOp`, and every constant through
 * `binding.createTensor`; here both are listened to while the step runs once on made-up inputs. What a step computes from
 * JavaScript values is thereby frozen, which is why it must not read a tensor and is traced twice by the caller.
 */
import { AppError } from '../contract/errors.ts';
import { type Attribute, attributeFromTfjs, dataTypes } from './graphDef.ts';
import type { StepFunction, Tensor, TensorSpec, Tf, Variable } from './session.ts';

interface TfjsAttribute {
  name: string;
  type: number;
  value: unknown;
}

interface TensorMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

type TensorBytes = Float32Array | Int32Array | Uint8Array;

/** The part of tfjs-node's addon that computes. */
interface Binding {
  executeOp(op: string, attributes: TfjsAttribute[], inputIds: number[], outputs: number): TensorMetadata[];
  createTensor(shape: number[], dtype: number, values: TensorBytes): number;
  tensorDataSync(id: number): TensorBytes;
}

/** The part of tfjs-node's backend that the trace needs. */
export interface NodeBackend {
  binding: Binding;
  getInputTensorIds(tensors: Tensor[]): number[];
  tensorMap: { get(dataId: object): { id: number; values: unknown } };
}

/** Where a value comes from. */
export type Source =
  | { kind: 'input'; name: string }
  | { kind: 'variable'; name: string }
  | { kind: 'constant'; index: number }
  | { kind: 'operation'; index: number; output: number };

export interface StepTrace {
  operations: { op: string; attributes: Record<string, Attribute>; inputs: Source[] }[];
  constants: { dtype: number; shape: number[]; data: Uint8Array }[];
  outputs: { key: string; shape: number[]; dtype: string; source: Source }[];
  updates: { variable: string; source: Source }[];
}

/** Ops that draw anew at every run: a run could not be repeated. Random numbers are inputs. */
const randomOps = /^(Multinomial|Random|Stateless|TruncatedNormal|ParameterizedTruncatedNormal)/;

/** Type attributes that tfjs leaves to TensorFlow's op-by-op run, which takes them from the first input; a graph must have them. */
const inferredTypes: Record<string, string> = { ExpandDims: 'T' };

/**
 * @param fill value of every float input during the trace; integers are zeros
 * @throws COMPUTE_FAILED the step reads a value, draws random numbers, uses variables of another session, or fails
 */
export function traceStep(
  tf: Tf,
  stepName: string,
  variables: [string, Variable][],
  inputs: Record<string, TensorSpec>,
  step: StepFunction,
  fill: number,
): StepTrace {
  const kept = variables.map(([, variable]) => variable.clone());
  const recorder = new Recorder(tf, stepName);
  try {
    tf.tidy(() => {
      const tensors: Record<string, Tensor> = {};
      for (const [name, { shape, dtype }] of Object.entries(inputs)) {
        tensors[name] = tf.fill(shape, dtype === 'float32' ? fill : 0, dtype);
        recorder.know(tensors[name], { kind: 'input', name });
      }
      for (const [name, variable] of variables) recorder.know(variable, { kind: 'variable', name });
      recorder.refuseOtherVariables();
      recorder.record(() => Object.entries(step(tensors)), variables);
    });
    return recorder.trace;
  } finally {
    variables.forEach(([, variable], position) => {
      variable.assign(kept[position]!);
      kept[position]!.dispose();
    });
  }
}

class Recorder {
  readonly trace: StepTrace = { operations: [], constants: [], outputs: [], updates: [] };
  readonly #tf: Tf;
  readonly #backend: NodeBackend;
  readonly #binding: Binding;
  readonly #stepName: string;
  readonly #sources = new Map<number, Source>();
  readonly #otherVariables = new Map<number, string>();
  readonly #constants = new Map<string, Source>();
  /** Of every tensor that an op was given: what is needed to write one made before the trace as a constant. */
  readonly #given = new Map<number, { shape: number[]; dtype: string }>();
  #refusal: Error | undefined;

  constructor(tf: Tf, stepName: string) {
    this.#tf = tf;
    this.#backend = tf.backend() as unknown as NodeBackend;
    this.#binding = this.#backend.binding;
    this.#stepName = stepName;
  }

  know(tensor: Tensor, source: Source): void {
    this.#sources.set(this.#idOf(tensor), source);
  }

  /** Variables of other sessions: the trace would freeze their present values. */
  refuseOtherVariables(): void {
    const registered = this.#tf.engine().state.registeredVariables as Record<string, Variable>;
    for (const variable of Object.values(registered)) {
      const id = this.#idOf(variable);
      if (!this.#sources.has(id)) this.#otherVariables.set(id, variable.name);
    }
  }

  /** Runs `body` with the backend listened to; the backend is as before afterwards, also when it throws. */
  record(body: () => [string, Tensor][], variables: [string, Variable][]): void {
    const engine = this.#tf.engine();
    const readSync = engine.readSync.bind(engine);
    const idsOf = this.#backend.getInputTensorIds.bind(this.#backend);
    Object.assign(engine, {
      readSync: (dataId: object) => {
        this.#checkRead(dataId);
        return readSync(dataId);
      },
      // Nobody awaits inside a step, so a rejection would be seen by nobody: it is thrown when the step returns.
      read: (dataId: object) => {
        this.#catchRefusal(() => this.#checkRead(dataId));
        return Promise.resolve(readSync(dataId));
      },
    });
    Object.assign(this.#backend, {
      binding: this.#listeningBinding(),
      getInputTensorIds: (tensors: Tensor[]) => {
        const ids = idsOf(tensors);
        // tfjs passes 64-bit scalars of its own here too; those are constants already and have no shape.
        tensors.forEach(({ shape, dtype }, position) => this.#given.set(ids[position]!, { shape: shape ?? [], dtype }));
        return ids;
      },
    });
    try {
      const outputs = body();
      if (this.#refusal !== undefined) throw this.#refusal;
      for (const [key, tensor] of outputs) {
        this.trace.outputs.push({
          key,
          shape: tensor.shape,
          dtype: tensor.dtype,
          source: this.#sourceOf(this.#idOf(tensor)),
        });
      }
      for (const [name, variable] of variables) {
        const source = this.#sourceOf(this.#idOf(variable));
        const unchanged = source.kind === 'variable' && source.name === name;
        if (!unchanged) this.trace.updates.push({ variable: name, source });
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new AppError('COMPUTE_FAILED', `Step "${this.#stepName}" failed while it was compiled: ${message}`, {
        cause: error,
      });
    } finally {
      this.#backend.binding = this.#binding;
      // The methods of the classes show again.
      for (const [object, names] of [
        [engine, ['readSync', 'read']],
        [this.#backend, ['getInputTensorIds']],
      ] as const) {
        for (const name of names) delete (object as unknown as Record<string, unknown>)[name];
      }
    }
  }

  #catchRefusal(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#refusal ??= error as Error;
    }
  }

  #idOf(tensor: Tensor): number {
    return this.#backend.getInputTensorIds([tensor])[0]!;
  }

  #listeningBinding(): Binding {
    const binding = this.#binding;
    const copy: Record<string, unknown> = {};
    for (const name of Object.getOwnPropertyNames(binding)) copy[name] = binding[name as keyof Binding];
    const listening: Pick<Binding, 'executeOp' | 'createTensor'> = {
      executeOp: (op, attributes, inputIds, outputs) => {
        if (randomOps.test(op))
          this.#refuse(`draws random numbers in the graph ("${op}")`, 'Make them an input of the step.');
        const inputs = inputIds.map((id) => this.#sourceOf(id));
        const results = binding.executeOp(op, attributes, inputIds, outputs);
        const index = this.trace.operations.length;
        const named = attributes.map(({ name, type, value }): [string, Attribute] => [
          name,
          attributeFromTfjs(type, value),
        ]);
        const inferred = inferredTypes[op];
        if (inferred !== undefined) named.push([inferred, { kind: 'type', value: this.#dataTypeOf(inputIds[0]!) }]);
        this.trace.operations.push({ op, attributes: Object.fromEntries(named), inputs });
        results.forEach(({ id }, output) => this.#sources.set(id, { kind: 'operation', index, output }));
        return results;
      },
      createTensor: (shape, dtype, values) => {
        const id = binding.createTensor(shape, dtype, values);
        this.#sources.set(id, this.#constant(dtype, shape, values));
        return id;
      },
    };
    return Object.assign(copy, listening) as unknown as Binding;
  }

  #dataTypeOf(id: number): number {
    return dataTypes[this.#given.get(id)!.dtype as keyof typeof dataTypes];
  }

  #sourceOf(id: number): Source {
    const known = this.#sources.get(id);
    if (known !== undefined) return known;
    const other = this.#otherVariables.get(id);
    if (other !== undefined)
      this.#refuse(`uses the variable "${other}" of another session`, 'Open both in one session.');
    const values = this.#binding.tensorDataSync(id);
    const dtype = values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'bool';
    const source = this.#constant(dataTypes[dtype], this.#given.get(id)!.shape, values);
    this.#sources.set(id, source);
    return source;
  }

  /** Equal constants become one; the bytes are copied, because tfjs and its caller keep the array. */
  #constant(dtype: number, shape: number[], values: TensorBytes): Source {
    if (!ArrayBuffer.isView(values)) this.#refuse('uses text', 'Only numbers can be computed with.');
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const key = data.length > 256 ? undefined : `${dtype} ${shape.join()} ${data.join()}`;
    const same = key === undefined ? undefined : this.#constants.get(key);
    if (same !== undefined) return same;
    const source: Source = { kind: 'constant', index: this.trace.constants.length };
    this.trace.constants.push({ dtype, shape: [...shape], data });
    if (key !== undefined) this.#constants.set(key, source);
    return source;
  }

  /** Constants may be read; what depends on inputs or variables has no value until the compiled step runs. */
  #checkRead(dataId: object): void {
    const { id, values } = this.#backend.tensorMap.get(dataId);
    const kind = values === null ? this.#sources.get(id)?.kind : 'constant';
    if (kind === undefined || kind === 'constant') return;
    const last = this.trace.operations.at(-1)?.op;
    const where = last === undefined ? 'before its first op' : `after op ${this.trace.operations.length} ("${last}")`;
    this.#refuse(`reads a value ${where}`, 'Return it as an output, or compute with tensors only.');
  }

  #refuse(what: string, hint: string): never {
    throw new AppError('COMPUTE_FAILED', `Step "${this.#stepName}" ${what}, so it cannot be compiled.`, { hint });
  }
}
