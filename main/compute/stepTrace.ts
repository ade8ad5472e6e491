/**
 * Records one call of a step as the list of TensorFlow ops it issues. Every op of tfjs's native backend, the gradients
 * that tfjs derives included, passes through one call, `binding.executeOp`, and every constant through
 * `binding.createTensor`; here both are answered by a scratch graph that knows shapes and types but computes nothing.
 * What a step computes from JavaScript values is thereby frozen, which is why it must not read a tensor and is traced
 * twice by the caller.
 */
import { AppError } from '../contract/errors.ts';
import { type Attribute, attributeFromTfjs, dataTypes } from './graphDef.ts';
import { ShapeGraph } from './shapeGraph.ts';
import type { StepFunction, Tensor, TensorSpec, Tf, Variable } from './session.ts';
import type { OperationOutput, TensorflowLibrary } from './tensorflowLibrary.ts';

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

/** How tfjs passes a 64-bit integer, which it has no tensors for. */
interface Int64Scalar {
  valueArray: Int32Array;
}

type TensorBytes = Float32Array | Int32Array | Uint8Array;

/** The part of tfjs-node's addon that computes. */
interface Binding {
  executeOp(op: string, attributes: TfjsAttribute[], inputIds: number[], outputs: number): TensorMetadata[];
  createTensor(shape: number[], dtype: number, values: TensorBytes): number;
  tensorDataSync(id: number): TensorBytes;
  deleteTensor(id: number): void;
}

/** The part of tfjs-node's backend that the trace needs. */
export interface NodeBackend {
  binding: Binding;
  getInputTensorIds(tensors: Tensor[]): number[];
  createOutputTensor(metadata: TensorMetadata): Tensor;
  tensorMap: { get(dataId: object): { id: number; shape: number[]; dtype: number; values: TensorBytes | null } };
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

/** Ids of tensors without a value: negative ones, which tfjs never gives back to TensorFlow. -1 is its own mark. */
let lastValuelessId = -1;

/** A tensor that has a shape and a type but no value: stands for an input or a variable while a step is traced. */
export function valuelessTensor(tf: Tf, { shape, dtype }: TensorSpec): Tensor {
  const backend = tf.backend() as unknown as NodeBackend;
  return backend.createOutputTensor({ id: --lastValuelessId, shape: [...shape], dtype: dataTypes[dtype] });
}

/**
 * @throws COMPUTE_FAILED the step reads a value, draws random numbers, uses variables of another session, or fails
 */
export function traceStep(
  tf: Tf,
  library: TensorflowLibrary,
  stepName: string,
  variables: [string, Variable][],
  inputs: Record<string, TensorSpec>,
  step: StepFunction,
): StepTrace {
  const kept = variables.map(([, variable]) => variable.clone());
  const shapes = new ShapeGraph(library);
  const recorder = new Recorder(tf, stepName, shapes);
  try {
    tf.tidy(() => {
      const tensors: Record<string, Tensor> = {};
      for (const [name, spec] of Object.entries(inputs)) {
        tensors[name] = valuelessTensor(tf, spec);
        recorder.know(tensors[name], { kind: 'input', name });
      }
      for (const [name, variable] of variables) recorder.know(variable, { kind: 'variable', name });
      recorder.refuseOtherVariables();
      recorder.record(() => Object.entries(step(tensors)), variables);
    });
    return recorder.trace;
  } finally {
    shapes.dispose();
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
  readonly #shapes: ShapeGraph;
  readonly #sources = new Map<number, Source>();
  /** The node of the scratch graph for each tensor. */
  readonly #nodes = new Map<number, OperationOutput>();
  readonly #otherVariables = new Map<number, string>();
  readonly #constants = new Map<string, Source>();
  /** Of every tensor that an op was given: what is needed to write one made before the trace as a constant. */
  readonly #given = new Map<number, { shape: number[]; dtype: string }>();
  /** Constants by the tensors of tfjs whose values they are. */
  readonly #heldBack = new Map<object, number>();
  #refusal: Error | undefined;

  constructor(tf: Tf, stepName: string, shapes: ShapeGraph) {
    this.#tf = tf;
    this.#shapes = shapes;
    this.#backend = tf.backend() as unknown as NodeBackend;
    this.#binding = this.#backend.binding;
    this.#stepName = stepName;
  }

  know(tensor: Tensor, source: Source): void {
    const id = this.#idOf(tensor);
    this.#sources.set(id, source);
    this.#nodes.set(id, this.#shapes.placeholder(dataTypes[tensor.dtype as 'float32' | 'int32'], tensor.shape));
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
      getInputTensorIds: (tensors: Tensor[]) => tensors.map((tensor) => this.#inputId(tensor)),
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

  /** Like the backend's, but values that tfjs holds back are left with it: they are no tensors of TensorFlow's yet. */
  #inputId(tensor: Tensor | Int64Scalar): number {
    const { binding } = this.#backend;
    if ('valueArray' in tensor) return binding.createTensor([], dataTypes.int64, tensor.valueArray);
    const { id, shape, dtype, values } = this.#backend.tensorMap.get(tensor.dataId);
    if (values === null) {
      this.#given.set(id, { shape: tensor.shape, dtype: tensor.dtype });
      return id;
    }
    const known = this.#heldBack.get(tensor.dataId);
    if (known !== undefined) return known;
    const constant = binding.createTensor(shape, dtype, values);
    this.#heldBack.set(tensor.dataId, constant);
    this.#given.set(constant, { shape, dtype: tensor.dtype });
    return constant;
  }

  #listeningBinding(): Binding {
    const binding = this.#binding;
    const copy: Record<string, unknown> = {};
    for (const name of Object.getOwnPropertyNames(binding)) copy[name] = binding[name as keyof Binding];
    const listening: Binding = {
      executeOp: (op, attributes, inputIds, outputs) => {
        if (randomOps.test(op))
          this.#refuse(`draws random numbers in the graph ("${op}")`, 'Make them an input of the step.');
        const inputs = inputIds.map((id) => this.#sourceOf(id));
        const index = this.trace.operations.length;
        const named = attributes.map(({ name, type, value }): [string, Attribute] => [
          name,
          attributeFromTfjs(type, value),
        ]);
        const inferred = inferredTypes[op];
        if (inferred !== undefined) named.push([inferred, { kind: 'type', value: this.#dataTypeOf(inputIds[0]!) }]);
        const operation = { op, attributes: Object.fromEntries(named), inputs };
        const nodes = inputIds.map((id) => this.#nodes.get(id)!);
        const results = this.#shapes.operation(op, operation.attributes, nodes, outputs);
        this.trace.operations.push(operation);
        return results.map(({ output: node, shape, dtype }, output) => {
          const id = --lastValuelessId;
          this.#sources.set(id, { kind: 'operation', index, output });
          this.#nodes.set(id, node);
          return { id, shape, dtype };
        });
      },
      createTensor: (shape, dtype, values) => {
        const id = --lastValuelessId;
        this.#keepConstant(id, dtype, shape, values);
        return id;
      },
      deleteTensor: (id) => {
        if (id >= 0) binding.deleteTensor(id);
      },
      // Reads of a step are seen before; this one is tfjs's own check that the ids given to a gather are in range.
      tensorDataSync: (id) => (id >= 0 ? binding.tensorDataSync(id) : new Int32Array(0)),
    };
    return Object.assign(copy, listening);
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
    return this.#keepConstant(id, dataTypes[dtype], this.#given.get(id)!.shape, values);
  }

  #keepConstant(id: number, dtype: number, shape: number[], values: TensorBytes): Source {
    const source = this.#constant(dtype, shape, values);
    this.#sources.set(id, source);
    if (source.kind === 'constant') {
      const { data } = this.trace.constants[source.index]!;
      this.#nodes.set(id, this.#shapes.constant(dtype, shape, data));
    }
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
