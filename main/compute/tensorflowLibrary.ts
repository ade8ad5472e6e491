/**
 * The C interface of libtensorflow (tensorflow/c/c_api.h), as much of it as compiled steps need, called through koffi on
 * the same library that tfjs runs on. Pointers are bigints; who gets one from here frees it here.
 */
import { AppError } from '../contract/errors.ts';
import { type Attribute, dataTypes } from './graphDef.ts';
import koffi from './koffi.ts';
import { type HostArray, elementCount } from './session.ts';

export type Pointer = bigint;

/** Where an op's output is: bytes of TF_Output { TF_Operation* oper; int index }. */
const outputBytes = 16;
/** An output of a node of a graph: TF_Output by value. */
export interface OperationOutput {
  oper: Pointer;
  index: number;
}

/** Registered once: koffi keeps types by name. */
const outputStruct = koffi.struct('TF_Output', { oper: 'void *', index: 'int' });

/** TF_RESOURCE_EXHAUSTED of tf_status.h. */
const resourceExhausted = 8;

type NativeFunction = ((...args: unknown[]) => unknown) & {
  async: (...args: unknown[]) => void;
};

export class TensorflowLibrary {
  readonly #functions: Record<string, NativeFunction>;

  constructor(libraryPath: string) {
    const library = koffi.load(libraryPath);
    const declare = (name: string, result: string, ...parameters: (string | typeof outputStruct)[]): NativeFunction =>
      library.func(name, result, parameters);
    const pointer = 'void *';
    this.#functions = {
      newStatus: declare('TF_NewStatus', pointer),
      deleteStatus: declare('TF_DeleteStatus', 'void', pointer),
      code: declare('TF_GetCode', 'int', pointer),
      message: declare('TF_Message', 'str', pointer),
      newGraph: declare('TF_NewGraph', pointer),
      deleteGraph: declare('TF_DeleteGraph', 'void', pointer),
      newBuffer: declare('TF_NewBufferFromString', pointer, pointer, 'size_t'),
      deleteBuffer: declare('TF_DeleteBuffer', 'void', pointer),
      newImportOptions: declare('TF_NewImportGraphDefOptions', pointer),
      deleteImportOptions: declare('TF_DeleteImportGraphDefOptions', 'void', pointer),
      setPrefix: declare('TF_ImportGraphDefOptionsSetPrefix', 'void', pointer, 'str'),
      importGraphDef: declare('TF_GraphImportGraphDef', 'void', pointer, pointer, pointer, pointer),
      operation: declare('TF_GraphOperationByName', pointer, pointer, 'str'),
      newSessionOptions: declare('TF_NewSessionOptions', pointer),
      deleteSessionOptions: declare('TF_DeleteSessionOptions', 'void', pointer),
      setConfig: declare('TF_SetConfig', 'void', pointer, pointer, 'size_t', pointer),
      newSession: declare('TF_NewSession', pointer, pointer, pointer, pointer),
      closeSession: declare('TF_CloseSession', 'void', pointer, pointer),
      deleteSession: declare('TF_DeleteSession', 'void', pointer, pointer),
      runSession: declare(
        'TF_SessionRun',
        'void',
        pointer,
        pointer,
        pointer,
        pointer,
        'int',
        pointer,
        pointer,
        'int',
        pointer,
        'int',
        pointer,
        pointer,
      ),
      allocateTensor: declare('TF_AllocateTensor', pointer, 'int', pointer, 'int', 'size_t'),
      deleteTensor: declare('TF_DeleteTensor', 'void', pointer),
      tensorData: declare('TF_TensorData', pointer, pointer),
      newOperation: declare('TF_NewOperation', pointer, pointer, 'str', 'str'),
      addInput: declare('TF_AddInput', 'void', pointer, outputStruct),
      addInputList: declare('TF_AddInputList', 'void', pointer, pointer, 'int'),
      finishOperation: declare('TF_FinishOperation', pointer, pointer, pointer),
      setString: declare('TF_SetAttrString', 'void', pointer, 'str', pointer, 'size_t'),
      setInt: declare('TF_SetAttrInt', 'void', pointer, 'str', 'int64_t'),
      setIntList: declare('TF_SetAttrIntList', 'void', pointer, 'str', pointer, 'int'),
      setFloat: declare('TF_SetAttrFloat', 'void', pointer, 'str', 'float'),
      setFloatList: declare('TF_SetAttrFloatList', 'void', pointer, 'str', pointer, 'int'),
      setBool: declare('TF_SetAttrBool', 'void', pointer, 'str', 'uchar'),
      setBoolList: declare('TF_SetAttrBoolList', 'void', pointer, 'str', pointer, 'int'),
      setType: declare('TF_SetAttrType', 'void', pointer, 'str', 'int'),
      setShape: declare('TF_SetAttrShape', 'void', pointer, 'str', pointer, 'int'),
      setTensor: declare('TF_SetAttrTensor', 'void', pointer, 'str', pointer, pointer),
      outputType: declare('TF_OperationOutputType', 'int', outputStruct),
      dimensions: declare('TF_GraphGetTensorNumDims', 'int', pointer, outputStruct, pointer),
      shape: declare('TF_GraphGetTensorShape', 'void', pointer, outputStruct, pointer, 'int', pointer),
      copyIn: declare('memcpy', pointer, pointer, pointer, 'size_t'),
    };
  }

  #call(name: string, ...args: unknown[]): unknown {
    return this.#functions[name]!(...args);
  }

  /** Calls with a fresh TF_Status as the last argument. @throws COMPUTE_FAILED | OUT_OF_MEMORY */
  #checked(what: string, name: string, ...args: unknown[]): unknown {
    const status = this.#call('newStatus') as Pointer;
    try {
      const result = this.#call(name, ...args, status);
      this.#checkStatus(what, status);
      return result;
    } finally {
      this.#call('deleteStatus', status);
    }
  }

  #checkStatus(what: string, status: Pointer): void {
    const code = this.#call('code', status) as number;
    if (code === 0) return;
    const message = `${what} failed: ${this.#call('message', status) as string}`;
    if (code === resourceExhausted) {
      throw new AppError('OUT_OF_MEMORY', message, { hint: 'Use a smaller batch, or close other programs.' });
    }
    throw new AppError('COMPUTE_FAILED', message, { details: { tensorflowCode: code } });
  }

  newGraph(): Pointer {
    return this.#call('newGraph') as Pointer;
  }

  deleteGraph(graph: Pointer): void {
    this.#call('deleteGraph', graph);
  }

  /**
   * Adds one node, which infers the shapes of its outputs.
   * @returns its first output
   * @throws COMPUTE_FAILED the inputs or attributes do not fit the op
   */
  addOperation(
    graph: Pointer,
    op: string,
    name: string,
    attributes: Record<string, Attribute>,
    inputs: { list: OperationOutput[]; single: OperationOutput[] },
  ): OperationOutput {
    const description = this.#call('newOperation', graph, op, name) as Pointer;
    // Tensors of attributes live until the node is made.
    const tensors: Pointer[] = [];
    try {
      if (inputs.list.length > 0) {
        const listed = new BigInt64Array((inputs.list.length * outputBytes) / 8);
        inputs.list.forEach(({ oper, index }, position) => {
          listed[2 * position] = oper;
          listed[2 * position + 1] = BigInt(index);
        });
        this.#call('addInputList', description, listed, inputs.list.length);
      }
      for (const input of inputs.single) this.#call('addInput', description, input);
      for (const [key, attribute] of Object.entries(attributes)) {
        if (attribute.kind !== 'tensor') this.#setAttribute(description, key, attribute);
        else {
          const tensor = this.#tensorOf(attribute.value);
          tensors.push(tensor);
          this.#checked(op, 'setTensor', description, key, tensor);
        }
      }
      return { oper: this.#checked(`Op "${op}"`, 'finishOperation', description) as Pointer, index: 0 };
    } finally {
      for (const tensor of tensors) this.#call('deleteTensor', tensor);
    }
  }

  #setAttribute(description: Pointer, key: string, attribute: Exclude<Attribute, { kind: 'tensor' }>): void {
    const set = (name: string, ...values: unknown[]): unknown => this.#call(name, description, key, ...values);
    const integers = (values: number[]): BigInt64Array => BigInt64Array.from(values.length > 0 ? values : [0], BigInt);
    const { kind, value } = attribute;
    switch (kind) {
      case 'string':
        set('setString', Buffer.from(`${value}\0`), Buffer.byteLength(value));
        return;
      case 'int':
        if (Array.isArray(value)) set('setIntList', integers(value), value.length);
        else set('setInt', value);
        return;
      case 'float':
        if (Array.isArray(value)) set('setFloatList', Float32Array.from([...value, 0]), value.length);
        else set('setFloat', value);
        return;
      case 'bool':
        if (Array.isArray(value)) set('setBoolList', Uint8Array.from([...value.map(Number), 0]), value.length);
        else set('setBool', Number(value));
        return;
      case 'type':
        set('setType', value);
        return;
      case 'shape':
        set('setShape', integers(value), value.length);
    }
  }

  /** @returns `shape` null when a size or the rank is not known before the node runs */
  outputShape(graph: Pointer, output: OperationOutput): { shape: number[] | null; dtype: number } {
    const dtype = this.#call('outputType', output) as number;
    const rank = this.#checked('A shape', 'dimensions', graph, output) as number;
    if (rank < 0) return { shape: null, dtype };
    const sizes = new BigInt64Array(Math.max(rank, 1));
    this.#checked('A shape', 'shape', graph, output, sizes, rank);
    const shape = [...sizes.subarray(0, rank)].map(Number);
    return { shape: shape.every((size) => size >= 0) ? shape : null, dtype };
  }

  /** Adds the nodes of an encoded GraphDef; `prefix` (without a slash at its end) keeps their names apart. */
  importGraph(what: string, graph: Pointer, graphDef: Uint8Array, prefix: string): void {
    const buffer = this.#call('newBuffer', graphDef, graphDef.length) as Pointer;
    const options = this.#call('newImportOptions') as Pointer;
    try {
      if (prefix !== '') this.#call('setPrefix', options, prefix);
      this.#checked(what, 'importGraphDef', graph, buffer, options);
    } finally {
      this.#call('deleteImportOptions', options);
      this.#call('deleteBuffer', buffer);
    }
  }

  newSession(graph: Pointer, config: Uint8Array): Pointer {
    const options = this.#call('newSessionOptions') as Pointer;
    try {
      this.#checked('The session configuration', 'setConfig', options, config, config.length);
      return this.#checked('Opening a TensorFlow session', 'newSession', graph, options) as Pointer;
    } finally {
      this.#call('deleteSessionOptions', options);
    }
  }

  deleteSessionAndGraph(session: Pointer, graph: Pointer): void {
    this.#checked('Closing a TensorFlow session', 'closeSession', session);
    this.#checked('Deleting a TensorFlow session', 'deleteSession', session);
    this.#call('deleteGraph', graph);
  }

  /** A run prepared once: which outputs are fed and fetched, which nodes run besides. */
  prepareRun(graph: Pointer, feeds: string[], fetches: string[], targets: string[]): PreparedRun {
    const operation = (name: string): Pointer => {
      const found = this.#call('operation', graph, name) as Pointer | null;
      if (!found) throw new AppError('INTERNAL', `The graph has no node "${name}".`);
      return found;
    };
    const outputs = (names: string[]): BigInt64Array => {
      const array = new BigInt64Array((Math.max(names.length, 1) * outputBytes) / 8);
      names.forEach((name, position) => (array[position * 2] = operation(name)));
      return array;
    };
    return {
      feeds: outputs(feeds),
      feedTensors: new BigInt64Array(Math.max(feeds.length, 1)),
      feedCount: feeds.length,
      fetches: outputs(fetches),
      fetchTensors: new BigInt64Array(Math.max(fetches.length, 1)),
      fetchCount: fetches.length,
      targets: BigInt64Array.from(targets.length === 0 ? [0n] : targets.map(operation)),
      targetCount: targets.length,
    };
  }

  /**
   * One TF_SessionRun on a thread of its own; the event loop stays free. Not while the same prepared run is under way.
   * Feeds are copied in, fetches copied out, and every native tensor is freed, those given as feeds too.
   */
  async run(
    what: string,
    session: Pointer,
    prepared: PreparedRun,
    feeds: (Feed | NativeFeed)[],
    fetches: Fetch[],
  ): Promise<HostArray[]> {
    const { feedTensors, fetchTensors, feedCount, fetchCount } = prepared;
    const status = this.#call('newStatus') as Pointer;
    feedTensors.fill(0n);
    fetchTensors.fill(0n);
    try {
      feeds.forEach((feed, position) => {
        feedTensors[position] = 'tensor' in feed ? feed.tensor : this.#tensorOf(feed);
      });
      await new Promise<void>((resolve, reject) => {
        const done = (error: Error | null): void => (error === null ? resolve() : reject(error));
        this.#functions['runSession']!.async(
          session,
          null,
          prepared.feeds,
          feedTensors,
          feedCount,
          prepared.fetches,
          fetchTensors,
          fetchCount,
          prepared.targets,
          prepared.targetCount,
          null,
          status,
          done,
        );
      });
      this.#checkStatus(what, status);
      return fetches.map((fetch, position) => this.#dataOf(fetchTensors[position]!, fetch));
    } finally {
      for (const tensor of [...feedTensors, ...fetchTensors]) if (tensor !== 0n) this.#call('deleteTensor', tensor);
      this.#call('deleteStatus', status);
    }
  }

  /**
   * A float32 tensor outside the graph, to be filled piece by piece and fed to a run, which frees it.
   * @throws OUT_OF_MEMORY
   */
  newFloatTensor(shape: number[]): {
    tensor: Pointer;
    set(values: Float32Array, fromElement: number): void;
    dispose(): void;
  } {
    const bytes = elementCount(shape) * Float32Array.BYTES_PER_ELEMENT;
    const tensor = this.#allocate(dataTypes.float32, shape, bytes);
    const start = this.#call('tensorData', tensor) as Pointer;
    return {
      tensor,
      set: (values, fromElement) => {
        const offset = fromElement * Float32Array.BYTES_PER_ELEMENT;
        if (offset + values.byteLength > bytes) throw new RangeError(`beyond the ${bytes} bytes of the tensor`);
        if (values.length > 0) this.#call('copyIn', start + BigInt(offset), values, values.byteLength);
      },
      dispose: () => void this.#call('deleteTensor', tensor),
    };
  }

  #allocate(dtype: number, shape: number[], bytes: number): Pointer {
    const sizes = BigInt64Array.from(shape.length === 0 ? [1n] : shape.map(BigInt));
    const tensor = this.#call('allocateTensor', dtype, sizes, shape.length, bytes) as Pointer | null;
    if (!tensor) throw new AppError('OUT_OF_MEMORY', `No memory for an input of ${bytes} bytes.`);
    return tensor;
  }

  #tensorOf({ dtype, shape, data }: Feed): Pointer {
    const tensor = this.#allocate(dtype, shape, data.byteLength);
    if (data.byteLength > 0) this.#call('copyIn', this.#call('tensorData', tensor), data, data.byteLength);
    return tensor;
  }

  #dataOf(tensor: Pointer, { dtype, size }: Fetch): HostArray {
    const data = dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
    if (size > 0) this.#call('copyIn', data, this.#call('tensorData', tensor), data.byteLength);
    return data;
  }
}

export interface PreparedRun {
  feeds: BigInt64Array;
  feedTensors: BigInt64Array;
  feedCount: number;
  fetches: BigInt64Array;
  fetchTensors: BigInt64Array;
  fetchCount: number;
  targets: BigInt64Array;
  targetCount: number;
}

export interface Feed {
  /** DataType of types.proto. */
  dtype: number;
  shape: number[];
  data: HostArray | Uint8Array;
}

/** A tensor of `newFloatTensor`; the run frees it. */
export interface NativeFeed {
  tensor: Pointer;
}

export interface Fetch {
  dtype: 'float32' | 'int32';
  size: number;
}
