/**
 * The C interface of libtensorflow (tensorflow/c/c_api.h), as much of it as compiled steps need, called through koffi on
 * the same library that tfjs runs on. Pointers are bigints; who gets one from here frees it here.
 */
import { AppError } from '../contract/errors.ts';
import koffi from './koffi.ts';
import type { HostArray } from './session.ts';

export type Pointer = bigint;

/** Where an op's output is: bytes of TF_Output { TF_Operation* oper; int index }. */
const outputBytes = 16;
/** TF_RESOURCE_EXHAUSTED of tf_status.h. */
const resourceExhausted = 8;

type NativeFunction = ((...args: unknown[]) => unknown) & {
  async: (...args: unknown[]) => void;
};

export class TensorflowLibrary {
  readonly #functions: Record<string, NativeFunction>;

  constructor(libraryPath: string) {
    const library = koffi.load(libraryPath);
    const declare = (name: string, result: string, ...parameters: string[]): NativeFunction =>
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
   * Feeds are copied in, fetches copied out, and every native tensor is freed.
   */
  async run(
    what: string,
    session: Pointer,
    prepared: PreparedRun,
    feeds: Feed[],
    fetches: Fetch[],
  ): Promise<HostArray[]> {
    const { feedTensors, fetchTensors, feedCount, fetchCount } = prepared;
    const status = this.#call('newStatus') as Pointer;
    feedTensors.fill(0n);
    fetchTensors.fill(0n);
    try {
      feeds.forEach((feed, position) => (feedTensors[position] = this.#tensorOf(feed)));
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

  #tensorOf({ dtype, shape, data }: Feed): Pointer {
    const sizes = BigInt64Array.from(shape.length === 0 ? [1n] : shape.map(BigInt));
    const tensor = this.#call('allocateTensor', dtype, sizes, shape.length, data.byteLength) as Pointer | null;
    if (!tensor) throw new AppError('OUT_OF_MEMORY', `No memory for an input of ${data.byteLength} bytes.`);
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

export interface Fetch {
  dtype: 'float32' | 'int32';
  size: number;
}
