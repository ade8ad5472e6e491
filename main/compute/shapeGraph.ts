/**
 * Shapes and types of ops without running them: each op is added to a scratch graph, whose construction infers them from
 * the inputs' shapes and from constants (axes, sizes). Recording a step on it needs neither time nor memory for the
 * step's values, however large the model is.
 */
import { AppError } from '../contract/errors.ts';
import type { Attribute } from './graphDef.ts';
import type { OperationOutput, Pointer, TensorflowLibrary } from './tensorflowLibrary.ts';

/** Constants above this are sizes and axes of nothing; their values cannot matter to a shape. */
const largestShapeConstantBytes = 1024;

export interface InferredOutput {
  output: OperationOutput;
  shape: number[];
  /** DataType of types.proto. */
  dtype: number;
}

export class ShapeGraph {
  readonly #library: TensorflowLibrary;
  readonly #graph: Pointer;
  #count = 0;

  constructor(library: TensorflowLibrary) {
    this.#library = library;
    this.#graph = library.newGraph();
  }

  /** Something whose value is not known: an input or a variable. */
  placeholder(dtype: number, shape: number[]): OperationOutput {
    const attributes: Record<string, Attribute> = {
      dtype: { kind: 'type', value: dtype },
      shape: { kind: 'shape', value: shape },
    };
    return this.#add('Placeholder', attributes, []);
  }

  constant(dtype: number, shape: number[], data: Uint8Array): OperationOutput {
    if (data.length > largestShapeConstantBytes) return this.placeholder(dtype, shape);
    const attributes: Record<string, Attribute> = {
      dtype: { kind: 'type', value: dtype },
      value: { kind: 'tensor', value: { dtype, shape, data } },
    };
    return this.#add('Const', attributes, []);
  }

  /** @throws COMPUTE_FAILED the inputs do not fit the op, or a size depends on values */
  operation(
    op: string,
    attributes: Record<string, Attribute>,
    inputs: OperationOutput[],
    outputs: number,
  ): InferredOutput[] {
    const first = this.#add(op, attributes, inputs);
    return Array.from({ length: outputs }, (_, index) => {
      const output = { ...first, index };
      const { shape, dtype } = this.#library.outputShape(this.#graph, output);
      if (shape === null) {
        const message = `The sizes of "${op}" depend on values, so it cannot be part of a compiled step.`;
        throw new AppError('COMPUTE_FAILED', message, { hint: 'Use ops whose output has one size.' });
      }
      return { output, shape, dtype };
    });
  }

  #add(op: string, attributes: Record<string, Attribute>, inputs: OperationOutput[]): OperationOutput {
    // Ops that take a list have its length as attribute N, and the list comes first.
    const listed = attributes['N']?.kind === 'int' ? Number(attributes['N'].value) : 0;
    return this.#library.addOperation(this.#graph, op, `n${this.#count++}`, attributes, {
      list: inputs.slice(0, listed),
      single: inputs.slice(listed),
    });
  }

  dispose(): void {
    this.#library.deleteGraph(this.#graph);
  }
}
