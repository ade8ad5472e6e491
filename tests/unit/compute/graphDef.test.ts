/** Bytes by hand, after the encoding guide of protocol buffers and the field numbers of TensorFlow's .proto files. */
import { describe, expect, test } from 'vitest';
import { encodeGraphDef, encodeSessionConfig } from '../../../main/compute/graphDef.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** In graph_options: place_pruned_graph true; rewrite_options with field 19 (disable_meta_optimizer) true. */
const always = '3001' + '5203980101';

describe('encoding', () => {
  test("integers: the guide's 150 is 96 01, and -1 has ten bytes", () => {
    expect(hex(encodeSessionConfig({ intraOpThreads: 150, interOpThreads: -1, xla: false }))).toBe(
      '109601' + '28ffffffffffffffffff01' + '5207' + always,
    );
  });

  test('XLA is level 2 (ON_2) of the optimizer options', () => {
    expect(hex(encodeSessionConfig({ intraOpThreads: 1, interOpThreads: 1, xla: true }))).toBe(
      '1001' + '2801' + '520b' + '1a022802' + always,
    );
  });

  test('a node with its inputs and attributes', () => {
    const node = {
      name: 'n',
      op: 'Op',
      inputs: ['a:1', '^b'],
      attributes: {
        T: { kind: 'type', value: 1 },
        i: { kind: 'int', value: [1, -1] },
        f: { kind: 'float', value: 1 },
        s: { kind: 'shape', value: [2, 300] },
      },
    } as const;
    const message =
      '0a016e' +
      '12024f70' +
      '1a03613a31' +
      '1a025e62' +
      '2a07' +
      '0a0154' +
      '12023001' +
      '2a14' +
      '0a0169' +
      '120f' +
      '0a0d' +
      '1801' +
      '18ffffffffffffffffff01' +
      '2a0a' +
      '0a0166' +
      '1205' +
      '250000803f' +
      '2a10' +
      '0a0173' +
      '120b' +
      '3a09' +
      '12020802' +
      '120308ac02';
    const length = (message.length / 2).toString(16);
    expect(hex(encodeGraphDef([node as never]))).toBe('0a' + length + message + '2203' + '08e807');
  });
});
