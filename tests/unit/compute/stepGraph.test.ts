/** What a recorded step becomes: reads before updates, in the graph itself and not by luck of the schedule. */
import { describe, expect, test } from 'vitest';
import { buildStepGraph } from '../../../main/compute/stepGraph.ts';
import type { StepTrace } from '../../../main/compute/stepTrace.ts';

const variable = (name: string) => ({ kind: 'variable', name }) as const;
const shapes = new Map([
  ['a', [2]],
  ['b', [2]],
  ['unused', [3]],
]);

describe('buildStepGraph', () => {
  /** a gets the input, b gets a; the output is the old a. */
  const trace: StepTrace = {
    operations: [],
    constants: [],
    outputs: [{ key: 'old', shape: [2], dtype: 'float32', source: variable('a') }],
    updates: [
      { variable: 'a', source: { kind: 'input', name: 'x' } },
      { variable: 'b', source: variable('a') },
    ],
  };
  const graph = buildStepGraph('step', trace, { x: { shape: [2], dtype: 'float32' } }, shapes);
  const node = (name: string) => graph.nodes.find((candidate) => candidate.name === name);

  test('an update runs after the read of its own variable', () => {
    expect(node('update0')!.inputs).toEqual(['variable0/handle', 'input0', '^variable0']);
    expect(node('variable0')).toMatchObject({ op: 'ReadVariableOp', inputs: ['variable0/handle'] });
  });

  test('a variable that is only assigned is not read, an unused one is absent', () => {
    expect(node('update1')!.inputs).toEqual(['variable1/handle', 'variable0']);
    expect(node('variable1')).toBeUndefined();
    expect(graph.nodes.filter(({ op }) => op === 'VarHandleOp')).toHaveLength(2);
  });

  test('the target runs after every update', () => {
    expect(graph.targets).toEqual(['updates']);
    expect(node('updates')!.inputs).toEqual(['^update0', '^update1']);
  });

  test('constants above 64 KiB are kept outside the graph', () => {
    const data = new Uint8Array(65_540);
    const constants = [
      { dtype: 1, shape: [16_385], data },
      { dtype: 1, shape: [1], data: data.slice(0, 4) },
    ];
    const { nodes, largeConstants } = buildStepGraph('step', { ...trace, constants }, {}, shapes);
    expect(largeConstants).toEqual([{ sharedName: 'constant/step/0', dtype: 1, shape: [16_385], data }]);
    expect(nodes.filter(({ op }) => op === 'Const')).toHaveLength(1);
  });
});
