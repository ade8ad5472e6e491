/**
 * One SFT step (forward, backward, clipping, AdamW): our compiled step beside eager PyTorch, in turns in one run, one
 * thread each. Prints the ratio (peer time / our time) of each shape and last their geometric mean.
 */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { openCompute } from '../../main/compute/compute.ts';
import type { Compute } from '../../main/compute/compute.ts';
import { Philox } from '../../main/ml/random/philox.ts';
import type { Task } from '../../main/ml/tasks/task.ts';
import { supervisedTraining } from '../../main/ml/training/supervised.ts';
import { benchModel, type ModelSizes } from './benchModel.ts';
import { installPeer, peerPython } from './peer/install.mjs';

interface Shape extends ModelSizes {
  batch: number;
  /** Tokens that the model reads. */
  tokens: number;
  /** First position whose next token counts in the loss. */
  answerFrom: number;
}

const miniature = { hidden: 64, layers: 3, heads: 4, kvHeads: 2, mlp: 160, vocabulary: 62, tokens: 25, answerFrom: 6 };
const shapes: Shape[] = [
  { ...miniature, batch: 64 },
  { ...miniature, batch: 96 },
  { ...miniature, batch: 256 },
  { ...miniature, hidden: 128, layers: 4, mlp: 340, vocabulary: 64, batch: 64, tokens: 64, answerFrom: 0 },
];
/** Turns of each side; the first ones warm up and are not counted. */
const turns = 9;
const warmUpTurns = 2;
const targetTurnMs = 1000;

type Turn = (steps: number) => Promise<number>;

function ours(compute: Compute, shape: Shape): { turn: Turn; dispose(): void } {
  const random = new Philox('bench', shape.batch);
  const model = benchModel(compute, shape, random);
  const length = shape.tokens + 1;
  const promptLength = shape.answerFrom + 1;
  // only the lengths and the padding id of a task matter here
  const task = { promptLength, answerLength: length - promptLength, padId: 0 } as Task;
  const update = supervisedTraining(model, task, { batchSize: shape.batch, maxGradNorm: 1, weightDecay: 0 });
  const sequences = Int32Array.from({ length: shape.batch * length }, () => 1 + random.int(shape.vocabulary - 1));
  let number = 0;
  const turn = async (steps: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < steps; i++) await update(sequences, ++number, 2e-4);
    return (performance.now() - start) / steps;
  };
  return { turn, dispose: () => model.dispose() };
}

function startPeer() {
  const script = new URL('./peer/training_step.py', import.meta.url).pathname;
  const child = spawn(peerPython, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const turn = async (shape: Shape, steps: number): Promise<{ ms: number; torch: string }> => {
    child.stdin.write(`${JSON.stringify({ shape, steps })}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as { ms: number; torch: string };
  };
  return { turn, stop: () => child.kill() };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Steps that fill a turn, from one timed step. */
const stepsFor = (stepMs: number): number => Math.max(2, Math.min(60, Math.round(targetTurnMs / stepMs)));

async function compare(compute: Compute, peer: ReturnType<typeof startPeer>, shape: Shape): Promise<number> {
  const mine = ours(compute, shape);
  try {
    await mine.turn(1);
    await peer.turn(shape, 1);
    const mySteps = stepsFor(await mine.turn(2));
    const peerSteps = stepsFor((await peer.turn(shape, 2)).ms);
    const times: { mine: number[]; peer: number[] } = { mine: [], peer: [] };
    for (let turn = 0; turn < turns; turn++) {
      const my = await mine.turn(mySteps);
      const other = (await peer.turn(shape, peerSteps)).ms;
      if (turn < warmUpTurns) continue;
      times.mine.push(my);
      times.peer.push(other);
    }
    const [my, other] = [median(times.mine), median(times.peer)];
    const { hidden, layers, tokens, batch } = shape;
    const name = `hidden ${hidden} x ${layers} layers, ${tokens} tokens, batch ${batch}`;
    console.log(`${name}: ours ${my.toFixed(1)} ms, PyTorch ${other.toFixed(1)} ms, ${(other / my).toFixed(2)}x`);
    return other / my;
  } finally {
    mine.dispose();
  }
}

export async function run(): Promise<void> {
  if (!(await installPeer()))
    throw new Error('The peer is not installed: run node tests/bench/peer/install.mjs first.');
  const compute = await openCompute({ threads: 1 });
  const peer = startPeer();
  try {
    const { torch } = await peer.turn({ ...shapes[0]!, batch: 1 }, 1);
    console.log(`${compute.status.label}, one thread, beside PyTorch ${torch} eager, one thread`);
    const ratios: number[] = [];
    for (const shape of shapes) ratios.push(await compare(compute, peer, shape));
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    console.log(`${mean.toFixed(2)}x`);
  } finally {
    peer.stop();
  }
}
