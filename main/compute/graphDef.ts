/**
 * Writes the few protocol-buffer messages that TensorFlow reads a graph and a session configuration from. Field numbers
 * are those of tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto and
 * tensorflow/core/protobuf/config.proto; https://protobuf.dev/programming-guides/encoding is the wire format.
 */

/** DataType of types.proto. */
export const dataTypes = { float32: 1, int32: 3, int64: 9, bool: 10 } as const;

const wireVarint = 0;
const wireBytes = 2;
const wireFixed32 = 5;

class Message {
  readonly #parts: Uint8Array[] = [];

  integer(field: number, value: number | boolean): this {
    return this.#push(varint((field << 3) | wireVarint), varint(Number(value)));
  }

  float(field: number, value: number): this {
    return this.#push(varint((field << 3) | wireFixed32), new Uint8Array(new Float32Array([value]).buffer));
  }

  bytes(field: number, value: Uint8Array | string): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return this.#push(varint((field << 3) | wireBytes), varint(bytes.length), bytes);
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.encode());
  }

  encode(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #push(...parts: Uint8Array[]): this {
    this.#parts.push(...parts);
    return this;
  }
}

/** Base 128, least significant group first; a negative number as its 64-bit two's complement. */
function varint(value: number): Uint8Array {
  if (value >= 0 && value < 128) return Uint8Array.of(value);
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** The attribute kinds of TF_AttrType that tfjs uses (c_api.h), in its numbering. */
const attributeKinds = ['string', 'int', 'float', 'bool', 'type', 'shape'] as const;

export type Attribute =
  | { kind: 'string'; value: string }
  | { kind: 'int' | 'float'; value: number | number[] }
  | { kind: 'bool'; value: boolean | boolean[] }
  | { kind: 'type'; value: number }
  | { kind: 'shape'; value: number[] }
  | { kind: 'tensor'; value: { dtype: number; shape: number[]; data: Uint8Array } };

export interface GraphNode {
  name: string;
  op: string;
  /** "node", "node:1" for a further output, "^node" for "runs after". */
  inputs: string[];
  attributes: Record<string, Attribute>;
}

/** tfjs's numbered attribute kind as ours. */
export function attributeFromTfjs(kind: number, value: unknown): Attribute {
  return { kind: attributeKinds[kind], value } as Attribute;
}

const shapeMessage = (shape: number[]): Message =>
  shape.reduce((message, size) => message.message(2, new Message().integer(1, size)), new Message());

function attributeMessage(attribute: Attribute): Message {
  const message = new Message();
  switch (attribute.kind) {
    case 'string':
      return message.bytes(2, attribute.value);
    case 'int':
      return scalarOrList(message, attribute.value, (target, value) => target.integer(3, value));
    case 'float':
      return scalarOrList(message, attribute.value, (target, value) => target.float(4, value));
    case 'bool':
      return scalarOrList(message, attribute.value, (target, value) => target.integer(5, value));
    case 'type':
      return message.integer(6, attribute.value);
    case 'shape':
      return message.message(7, shapeMessage(attribute.value));
    case 'tensor': {
      const { dtype, shape, data } = attribute.value;
      return message.message(8, new Message().integer(1, dtype).message(2, shapeMessage(shape)).bytes(4, data));
    }
  }
}

/** In AttrValue.list the fields have the numbers of their scalar siblings; readers take packed and unpacked alike. */
function scalarOrList<T>(message: Message, value: T | T[], write: (target: Message, value: T) => Message): Message {
  if (!Array.isArray(value)) return write(message, value);
  return message.message(1, value.reduce<Message>(write, new Message()));
}

function nodeMessage(node: GraphNode): Message {
  const message = new Message().bytes(1, node.name).bytes(2, node.op);
  for (const input of node.inputs) message.bytes(3, input);
  for (const [key, attribute] of Object.entries(node.attributes)) {
    message.message(5, new Message().bytes(1, key).message(2, attributeMessage(attribute)));
  }
  return message;
}

/** The producer version decides which deprecated ops are refused; 1000 is any TensorFlow of the 2.x line. */
const graphDefProducer = 1000;

export function encodeGraphDef(nodes: GraphNode[]): Uint8Array {
  const graph = new Message();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  return graph.message(4, new Message().integer(1, graphDefProducer)).encode();
}

export interface SessionConfig {
  intraOpThreads: number;
  /** Negative: ops run one after another in the thread that calls. */
  interOpThreads: number;
  xla: boolean;
}

export function encodeSessionConfig({ intraOpThreads, interOpThreads, xla }: SessionConfig): Uint8Array {
  // TensorFlow's rewriting of graphs is off (rewrite_options.disable_meta_optimizer). Some passes change bits (x / 2 to
  // x * 0.5, sums in another order); all of them together save nothing measurable on a training step (18.6 ms of CPU
  // time with and without), and the first run of a step takes up to four times as long with them.
  const rewrites = new Message().integer(19, true);
  // place_pruned_graph: a step's first run looks at its own nodes only, not at those of all steps of the session.
  const graphOptions = new Message();
  // optimizer_options.global_jit_level = ON_2
  if (xla) graphOptions.message(3, new Message().integer(5, 2));
  graphOptions.integer(6, true).message(10, rewrites);
  return new Message().integer(2, intraOpThreads).integer(5, interOpThreads).message(10, graphOptions).encode();
}
