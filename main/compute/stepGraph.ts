/**
 * A recorded step as nodes of a TensorFlow graph. Every variable is read once, and an update of a variable runs after
 * that read: a step sees the values of before, whatever it assigns, like the eager one.
 */
import { type Attribute, dataTypes, type GraphNode } from './graphDef.ts';
import type { TensorSpec } from './session.ts';
import type { Source, StepTrace } from './stepTrace.ts';

/** A constant above this is kept in a variable of its own: a graph is copied several times while it is optimised. */
const largeConstantBytes = 65_536;

export interface StepGraph {
  nodes: GraphNode[];
  /** Node of each input, in the order of the declared inputs. */
  feeds: string[];
  /** Node of each output, in the order of the trace. */
  fetches: string[];
  /** The node that runs after all updates; none when nothing is assigned. */
  targets: string[];
  /** Constants to be kept as variables, under the shared names that the nodes use. */
  largeConstants: { sharedName: string; dtype: number; shape: number[]; data: Uint8Array }[];
}

const type = (value: number): Attribute => ({ kind: 'type', value });
const shapeOf = (value: number[]): Attribute => ({ kind: 'shape', value });

export const variableSharedName = (name: string): string => `variable/${name}`;

/** The handle of a variable that all steps of a session find by its shared name. */
export function variableHandle(node: string, sharedName: string, dtype: number, shape: number[]): GraphNode {
  const attributes = {
    dtype: type(dtype),
    shape: shapeOf(shape),
    shared_name: { kind: 'string', value: sharedName } as const,
  };
  return { name: node, op: 'VarHandleOp', inputs: [], attributes };
}

export const readNode = (node: string, handle: string, dtype: number): GraphNode => ({
  name: node,
  op: 'ReadVariableOp',
  inputs: [handle],
  attributes: { dtype: type(dtype) },
});

export const assignNode = (node: string, handle: string, value: string, dtype: number, after: string[]): GraphNode => ({
  name: node,
  op: 'AssignVariableOp',
  inputs: [handle, value, ...after.map((name) => `^${name}`)],
  attributes: { dtype: type(dtype) },
});

/** Frees the value; assigning the variable again gives it a new one. */
export const releaseNode = (node: string, handle: string): GraphNode => ({
  name: node,
  op: 'DestroyResourceOp',
  inputs: [handle],
  attributes: { ignore_lookup_error: { kind: 'bool', value: true } },
});

export const placeholderNode = (node: string, dtype: number, shape: number[]): GraphNode => ({
  name: node,
  op: 'Placeholder',
  inputs: [],
  attributes: { dtype: type(dtype), shape: shapeOf(shape) },
});

/** Zeros, made when they are asked for: a node of this name and one for the sizes. */
export function zerosNodes(node: string, shape: number[]): GraphNode[] {
  const constant = (name: string, dtype: number, sizes: number[], data: Uint8Array): GraphNode => {
    const value: Attribute = { kind: 'tensor', value: { dtype, shape: sizes, data } };
    return { name, op: 'Const', inputs: [], attributes: { dtype: type(dtype), value } };
  };
  const dimensions = new Uint8Array(Int32Array.from(shape).buffer);
  return [
    constant(`${node}/sizes`, dataTypes.int32, [shape.length], dimensions),
    constant(`${node}/zero`, dataTypes.float32, [], new Uint8Array(4)),
    {
      name: node,
      op: 'Fill',
      inputs: [`${node}/sizes`, `${node}/zero`],
      attributes: { T: type(dataTypes.float32), index_type: type(dataTypes.int32) },
    },
  ];
}

export function buildStepGraph(
  stepId: string,
  trace: StepTrace,
  inputs: Record<string, TensorSpec>,
  variableShapes: Map<string, number[]>,
): StepGraph {
  const nodes: GraphNode[] = [];
  const largeConstants: StepGraph['largeConstants'] = [];
  const inputNames = Object.keys(inputs);
  inputNames.forEach((name, index) => {
    nodes.push(placeholderNode(`input${index}`, dataTypes[inputs[name]!.dtype], inputs[name]!.shape));
  });

  trace.constants.forEach(({ dtype, shape, data }, index) => {
    if (data.length <= largeConstantBytes) {
      const value: Attribute = { kind: 'tensor', value: { dtype, shape, data } };
      nodes.push({ name: `constant${index}`, op: 'Const', inputs: [], attributes: { dtype: type(dtype), value } });
      return;
    }
    const sharedName = `constant/${stepId}/${index}`;
    largeConstants.push({ sharedName, dtype, shape, data });
    nodes.push(variableHandle(`constant${index}/handle`, sharedName, dtype, shape));
    nodes.push(readNode(`constant${index}`, `constant${index}/handle`, dtype));
  });

  const variableNodes = new Map([...variableShapes.keys()].map((name, index) => [name, `variable${index}`]));
  const read = readVariables(trace);
  for (const [name, shape] of variableShapes) {
    const node = variableNodes.get(name)!;
    const updated = trace.updates.some(({ variable }) => variable === name);
    if (updated || read.has(name)) {
      nodes.push(variableHandle(`${node}/handle`, variableSharedName(name), dataTypes.float32, shape));
    }
    if (read.has(name)) nodes.push(readNode(node, `${node}/handle`, dataTypes.float32));
  }

  const nameOf = (source: Source): string => {
    switch (source.kind) {
      case 'input':
        return `input${inputNames.indexOf(source.name)}`;
      case 'variable':
        return variableNodes.get(source.name)!;
      case 'constant':
        return `constant${source.index}`;
      case 'operation':
        return `op${source.index}${source.output === 0 ? '' : `:${source.output}`}`;
    }
  };
  trace.operations.forEach(({ op, attributes, inputs: sources }, index) => {
    nodes.push({ name: `op${index}`, op, inputs: sources.map(nameOf), attributes });
  });

  trace.outputs.forEach(({ dtype, source }, index) => nodes.push(outputNode(`output${index}`, dtype, nameOf(source))));
  const updates = trace.updates.map(({ variable, source }, index) => {
    const node = variableNodes.get(variable)!;
    const after = read.has(variable) ? [node] : [];
    nodes.push(assignNode(`update${index}`, `${node}/handle`, nameOf(source), dataTypes.float32, after));
    return `update${index}`;
  });
  if (updates.length > 0)
    nodes.push({ name: 'updates', op: 'NoOp', inputs: updates.map((name) => `^${name}`), attributes: {} });
  return {
    nodes,
    feeds: inputNames.map((_, index) => `input${index}`),
    fetches: trace.outputs.map((_, index) => `output${index}`),
    targets: updates.length > 0 ? ['updates'] : [],
    largeConstants,
  };
}

function readVariables(trace: StepTrace): Set<string> {
  const sources = [
    ...trace.operations.flatMap(({ inputs }) => inputs),
    ...trace.outputs.map(({ source }) => source),
    ...trace.updates.map(({ source }) => source),
  ];
  return new Set(sources.flatMap((source) => (source.kind === 'variable' ? [source.name] : [])));
}

/** A node of its own for each output: an input cannot be fed and fetched, and truth values leave as integers. */
function outputNode(name: string, dtype: string, source: string): GraphNode {
  if (dtype === 'bool') {
    const attributes = { SrcT: type(dataTypes.bool), DstT: type(dataTypes.int32) };
    return { name, op: 'Cast', inputs: [source], attributes };
  }
  return {
    name,
    op: 'Identity',
    inputs: [source],
    attributes: { T: type(dtype === 'int32' ? dataTypes.int32 : dataTypes.float32) },
  };
}
