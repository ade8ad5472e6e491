/**
 * A session whose variables live in a TensorFlow session and whose steps are graphs: each step is traced when it is
 * compiled and afterwards runs as one call, several times faster than op by op from JavaScript, with the same bits.
 */
import { AppError } from '../contract/errors.ts';
import { encodeGraphDef, dataTypes } from './graphDef.ts';
import type { GraphNode } from './graphDef.ts';
import { checkElementCount, checkInputs, eachPiece, elementCount, VariableTable } from './session.ts';
import type {
  CompiledStep,
  HostArray,
  HostTensor,
  Session,
  StepFunction,
  Tensor,
  TensorSpec,
  Tf,
  Variable,
} from './session.ts';
import {
  assignNode,
  buildStepGraph,
  placeholderNode,
  readNode,
  releaseNode,
  variableHandle,
  variableSharedName,
  zerosNodes,
} from './stepGraph.ts';
import type { StepGraph } from './stepGraph.ts';
import { type StepTrace, traceStep, valuelessTensor } from './stepTrace.ts';
import type { Feed, Fetch, Pointer, PreparedRun, TensorflowLibrary } from './tensorflowLibrary.ts';

/** A value on its way into a variable of the TensorFlow session. */
interface InitialValue {
  sharedName: string;
  dtype: number;
  shape: number[];
  /** null: zeros */
  data: Uint8Array | null;
}

export function openCompiledSession(tf: Tf, library: TensorflowLibrary, config: Uint8Array): Session {
  return new CompiledSession(tf, library, config);
}

class CompiledSession implements Session {
  readonly #tf: Tf;
  readonly #library: TensorflowLibrary;
  readonly #graph: Pointer;
  readonly #session: Pointer;
  readonly #variables: VariableTable;
  /** Written before the next run. */
  #pending: InitialValue[] = [];
  readonly #access = new Map<string, Record<'assign' | 'read' | 'release', PreparedRun>>();
  /** Runs take turns, in the order of the calls: none sees half of another one's updates. */
  #queue: Promise<unknown> = Promise.resolve();
  #imports = 0;
  #tracing = false;
  #disposed = false;

  constructor(tf: Tf, library: TensorflowLibrary, config: Uint8Array) {
    this.#tf = tf;
    this.#library = library;
    this.#graph = library.newGraph();
    this.#session = library.newSession(this.#graph, config);
    this.#variables = new VariableTable(tf);
  }

  variable(name: string, shape: number[], value: Float32Array | null, options?: { trainable?: boolean }): Variable {
    this.#checkOpen();
    if (value !== null) checkElementCount(`Variable "${name}"`, shape, value);
    const standIn = (): Tensor => valuelessTensor(this.#tf, { shape, dtype: 'float32' });
    const variable = this.#variables.add(name, (options?.trainable ?? true) ? 'trainable' : 'fixed', standIn);
    const data = value === null ? null : new Uint8Array(value.slice().buffer);
    this.#pending.push({ sharedName: variableSharedName(name), dtype: dataTypes.float32, shape: [...shape], data });
    this.#refuseUseOutsideSteps(name, variable);
    return variable;
  }

  scratch(name: string, shape: number[]): Variable {
    this.#checkOpen();
    const known = this.#variables.find(name);
    if (known !== undefined) return known;
    const variable = this.#variables.add(name, 'scratch', () => valuelessTensor(this.#tf, { shape, dtype: 'float32' }));
    this.#refuseUseOutsideSteps(name, variable);
    return variable;
  }

  async release(names: readonly string[]): Promise<void> {
    const runs = names.map((name) => this.#accessTo(name).release);
    await this.#inTurn(async () => {
      for (const run of runs) await this.#library.run('Freeing memory', this.#session, run, [], []);
    });
  }

  /** What tfjs holds of a variable has no value, for the trace only: reading or assigning it elsewhere is a mistake. */
  #refuseUseOutsideSteps(name: string, variable: Variable): void {
    const guarded = <F extends (...args: never[]) => unknown>(method: F, instead: string): F => {
      const checked = (...args: Parameters<F>): unknown => {
        if (this.#tracing) return method.apply(variable, args);
        const message = `The value of variable "${name}" is in the TensorFlow session.`;
        throw new AppError('INTERNAL', message, { hint: `Use session.${instead}.` });
      };
      return checked as F;
    };
    variable.dataSync = guarded(variable.dataSync.bind(variable), 'read()');
    variable.data = guarded(variable.data.bind(variable), 'read()');
    variable.assign = guarded(variable.assign.bind(variable), 'write(), or assign inside a step');
  }

  async read(name: string): Promise<Float32Array> {
    const { size } = this.#variables.get(name);
    const [value] = await this.#inTurn(() =>
      this.#run(`Reading "${name}"`, this.#accessTo(name).read, [], [{ dtype: 'float32', size }]),
    );
    return value as Float32Array;
  }

  async write(name: string, value: Float32Array): Promise<void> {
    const { shape } = this.#variables.get(name);
    checkElementCount(`Variable "${name}"`, shape, value);
    // A copy: the caller may go on with its array before the turn comes.
    const feed: Feed = { dtype: dataTypes.float32, shape, data: value.slice() };
    await this.#inTurn(() => this.#run(`Writing "${name}"`, this.#accessTo(name).assign, [feed], []));
  }

  async fill(name: string, pieces: AsyncIterable<Float32Array>): Promise<void> {
    const { shape, size } = this.#variables.get(name);
    const { tensor, set, dispose } = this.#library.newFloatTensor(shape);
    try {
      await eachPiece(name, size, pieces, set);
    } catch (error) {
      dispose();
      throw error;
    }
    // Not written first what is replaced at once
    this.#pending = this.#pending.filter(({ sharedName }) => sharedName !== variableSharedName(name));
    // Nothing else pending is written with it: it may be about to be filled too.
    const { assign } = this.#accessTo(name);
    await this.#inTurn(() => this.#library.run(`Writing "${name}"`, this.#session, assign, [{ tensor }], []));
  }

  names(): string[] {
    return this.#variables.names();
  }

  compile(name: string, inputs: Record<string, TensorSpec>, step: StepFunction): CompiledStep {
    this.#checkOpen();
    const [trace, graph] = this.#trace(name, inputs, step);
    for (const { sharedName, dtype, shape, data } of graph.largeConstants)
      this.#pending.push({ sharedName, dtype, shape, data });
    const prefix = graph.id;
    this.#library.importGraph(`Compiling step "${name}"`, this.#graph, encodeGraphDef(graph.nodes), prefix);
    const inScope = (names: string[]): string[] => names.map((node) => `${prefix}/${node}`);
    const prepared = this.#library.prepareRun(
      this.#graph,
      inScope(graph.feeds),
      inScope(graph.fetches),
      inScope(graph.targets),
    );
    const fetches = trace.outputs.map(({ shape, dtype }): Fetch => {
      return { dtype: dtype === 'float32' ? 'float32' : 'int32', size: elementCount(shape) };
    });
    const specs = Object.entries(inputs).map(([key, { shape, dtype }]) => ({ key, shape, dtype: dataTypes[dtype] }));
    let disposed = false;
    return {
      run: async (values) => {
        if (disposed) throw new AppError('INTERNAL', `Step "${name}" was disposed.`);
        checkInputs(name, inputs, values);
        const feeds = specs.map(({ key, shape, dtype }): Feed => ({ dtype, shape, data: values[key]! }));
        const results = await this.#inTurn(() => this.#run(`Step "${name}"`, prepared, feeds, fetches));
        const outputs = trace.outputs.map(({ key, shape }, position): [string, HostTensor] => {
          return [key, { shape: [...shape], data: results[position]! }];
        });
        return Object.fromEntries(outputs);
      },
      dispose: () => void (disposed = true),
    };
  }

  /** Traced twice: whatever differs would have been frozen at its first value. */
  #trace(
    name: string,
    inputs: Record<string, TensorSpec>,
    step: StepFunction,
  ): [StepTrace, StepGraph & { id: string }] {
    const id = `step${this.#imports++}`;
    const variables = this.#variables.entries();
    const shapes = new Map(variables.map(([key, { shape }]) => [key, shape]));
    this.#tracing = true;
    try {
      const traced = (): StepTrace => traceStep(this.#tf, this.#library, name, variables, inputs, step);
      const [first, second] = [traced(), traced()];
      const [graph, again] = [first, second].map((trace) => buildStepGraph(id, trace, inputs, shapes));
      checkSameGraph(name, graph!, again!);
      return [first, { ...graph!, id }];
    } finally {
      this.#tracing = false;
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#variables.dispose();
    this.#pending = [];
    void this.#queue.then(() => this.#library.deleteSessionAndGraph(this.#session, this.#graph));
  }

  #checkOpen(): void {
    if (this.#disposed) throw new AppError('INTERNAL', 'The compute session was disposed.');
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #run(what: string, prepared: PreparedRun, feeds: Feed[], fetches: Fetch[]): Promise<HostArray[]> {
    await this.#writePending();
    return this.#library.run(what, this.#session, prepared, feeds, fetches);
  }

  async #writePending(): Promise<void> {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    const prefix = this.#importAccess(pending);
    const names = (kind: string): string[] =>
      pending.flatMap(({ data }, index) => (kind === 'value' && data === null ? [] : [`${prefix}/${kind}${index}`]));
    const assign = this.#library.prepareRun(this.#graph, names('value'), [], names('assign'));
    const feeds = pending.flatMap(({ dtype, shape, data }): Feed[] => (data === null ? [] : [{ dtype, shape, data }]));
    await this.#library.run('Writing the initial values', this.#session, assign, feeds, []);
  }

  #accessTo(name: string): Record<'assign' | 'read' | 'release', PreparedRun> {
    const known = this.#access.get(name);
    if (known !== undefined) return known;
    const shape = this.#variables.get(name).shape;
    const prefix = this.#importAccess([{ sharedName: variableSharedName(name), dtype: dataTypes.float32, shape }]);
    const access = {
      assign: this.#library.prepareRun(this.#graph, [`${prefix}/value0`], [], [`${prefix}/assign0`]),
      read: this.#library.prepareRun(this.#graph, [], [`${prefix}/read0`], []),
      release: this.#library.prepareRun(this.#graph, [], [], [`${prefix}/release0`]),
    };
    this.#access.set(name, access);
    return access;
  }

  /** Adds nodes that read and assign variables by their shared names; the scope they are in. */
  #importAccess(variables: (Omit<InitialValue, 'data'> & Partial<Pick<InitialValue, 'data'>>)[]): string {
    const nodes = variables.flatMap(({ sharedName, dtype, shape, data }, index): GraphNode[] => [
      variableHandle(`handle${index}`, sharedName, dtype, shape),
      ...(data === null ? zerosNodes(`value${index}`, shape) : [placeholderNode(`value${index}`, dtype, shape)]),
      assignNode(`assign${index}`, `handle${index}`, `value${index}`, dtype, []),
      readNode(`read${index}`, `handle${index}`, dtype),
      releaseNode(`release${index}`, `handle${index}`),
    ]);
    const prefix = `access${this.#imports++}`;
    this.#library.importGraph('Adding variables', this.#graph, encodeGraphDef(nodes), prefix);
    return prefix;
  }
}

/** @throws COMPUTE_FAILED naming the first node that differs between the two traces */
function checkSameGraph(step: string, first: StepGraph, second: StepGraph): void {
  const encoded = ({ nodes, largeConstants }: StepGraph): Buffer[] => [
    ...nodes.map((node) => Buffer.from(encodeGraphDef([node]))),
    ...largeConstants.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ];
  const [before, after] = [encoded(first), encoded(second)];
  const position = before.findIndex((bytes, index) => after[index]?.equals(bytes) !== true);
  if (position === -1 && before.length === after.length) return;
  const node = first.nodes[position] ?? second.nodes[before.length];
  const what = node === undefined ? 'a large constant' : `node "${node.name}" (${node.op})`;
  throw new AppError('COMPUTE_FAILED', `Step "${step}" gave another graph when it was traced again: ${what} differs.`, {
    hint: 'Random numbers, counters and everything else that changes from run to run are inputs of a step.',
  });
}
