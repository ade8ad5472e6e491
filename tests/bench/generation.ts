/**
 * Sampled generation beside transformers' `generate`, in turns in one run, one thread each. Prints the ratio (peer time /
 * our time) of each shape by the clock and by processor time, which other programs disturb less; last the geometric mean
 * of the ratios by processor time. `npm run bench -- generation`.
 */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Compute, openCompute } from '../../main/compute/compute.ts';
import { Philox } from '../../main/ml/random/philox.ts';
import { benchModel, type ModelSizes } from './benchModel.ts';
import { installPeer, peerPython } from './peer/install.mjs';

interface Shape extends ModelSizes {
  prompt: number;
  newTokens: number;
  batch: number;
}

const miniature = { hidden: 64, layers: 3, heads: 4, kvHeads: 2, mlp: 160, vocabulary: 62, prompt: 7, newTokens: 19 };
const larger = { ...miniature, hidden: 128, layers: 4, mlp: 340, vocabulary: 64, prompt: 24, newTokens: 128 };
const shapes: Shape[] = [
  { ...miniature, batch: 32 },
  { ...miniature, batch: 256 },
  { ...larger, batch: 32 },
  { ...larger, batch: 256 },
];
/** Turns of each side; the first ones warm up and are not counted. */
const turns = 7;
const warmUpTurns = 2;
const targetTurnMs = 1000;

/** Of one run, in ms. */
interface Times {
  clock: number;
  processor: number;
}

type Turn = (runs: number) => Promise<Times>;

function ours(compute: Compute, shape: Shape): { turn: Turn; dispose(): void } {
  const random = new Philox('bench', shape.batch);
  const model = benchModel(compute, shape, random);
  const prompts = Int32Array.from({ length: shape.batch * shape.prompt }, () => 1 + random.int(shape.vocabulary - 1));
  const turn = async (runs: number): Promise<Times> => {
    const start = performance.now();
    const processorStart = process.cpuUsage();
    for (let run = 0; run < runs; run++) {
      const decoding = { mode: 'sample', temperature: 1, random: new Philox('draws', run) } as const;
      await model.generate({ prompts, promptLength: shape.prompt, newTokens: shape.newTokens, decoding, stopIds: [], padId: 0 }); // prettier-ignore
    }
    const { user, system } = process.cpuUsage(processorStart);
    return { clock: (performance.now() - start) / runs, processor: (user + system) / 1000 / runs };
  };
  return { turn, dispose: () => model.dispose() };
}

function startPeer() {
  const script = new URL('./peer/generation.py', import.meta.url).pathname;
  const child = spawn(peerPython, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const turn = async (shape: Shape, runs: number): Promise<Times & { versions: string }> => {
    child.stdin.write(`${JSON.stringify({ shape, runs })}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as Times & { versions: string };
  };
  return { turn, stop: () => child.kill() };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const runsFor = (ms: number): number => Math.max(1, Math.min(40, Math.round(targetTurnMs / ms)));

async function compare(compute: Compute, peer: ReturnType<typeof startPeer>, shape: Shape): Promise<number> {
  const mine = ours(compute, shape);
  try {
    await mine.turn(1);
    await peer.turn(shape, 1);
    const myRuns = runsFor((await mine.turn(1)).processor);
    const peerRuns = runsFor((await peer.turn(shape, 1)).processor);
    const times: { mine: Times[]; peer: Times[] } = { mine: [], peer: [] };
    for (let turn = 0; turn < turns; turn++) {
      const my = await mine.turn(myRuns);
      const other = await peer.turn(shape, peerRuns);
      if (turn < warmUpTurns) continue;
      times.mine.push(my);
      times.peer.push(other);
    }
    const { hidden, layers, prompt, newTokens, batch } = shape;
    console.log(`hidden ${hidden} x ${layers} layers, ${prompt} + ${newTokens} tokens, batch ${batch}`);
    const ratioOf = (kind: keyof Times): number => {
      const [my, other] = [times.mine, times.peer].map((list) => median(list.map((one) => one[kind]))) as [
        number,
        number,
      ];
      console.log(
        `  ${kind}: ours ${my.toFixed(1)} ms, transformers ${other.toFixed(1)} ms, ${(other / my).toFixed(2)}x`,
      );
      return other / my;
    };
    ratioOf('clock');
    return ratioOf('processor');
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
    const { versions } = await peer.turn({ ...shapes[0]!, batch: 1 }, 1);
    console.log(`${compute.status.label}, one thread, beside ${versions}, one thread`);
    const ratios: number[] = [];
    for (const shape of shapes) ratios.push(await compare(compute, peer, shape));
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    console.log(`${mean.toFixed(2)}x`);
  } finally {
    peer.stop();
  }
}
