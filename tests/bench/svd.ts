/**
 * Decompositions beside scipy.linalg.svd: the same matrices, the same number of threads, in turns in one run. Ours takes the
 * matrices side by side with one BLAS thread each; scipy one after another with all threads inside BLAS. Prints the ratio
 * (scipy's time / ours, the quickest turn of each: other programs only ever add) of each shape and last their geometric mean,
 * and the ratio of processor time, which a busy machine disturbs less.
 *
 *   npm run bench -- svd [--threads 1,CORES]
 *
 * Both read OPENBLAS_CORETYPE, which chooses the kernels of either OpenBLAS; what runs is printed.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { physicalCores } from '../../main/jobs/physicalCores.ts';
import { installScipy, scipyPython } from './peer/installScipy.mjs';
import type { SvdAnswer, SvdTurn } from './svdWorker.ts';

const shapes: [rows: number, columns: number, dtype: 'float32' | 'float64'][] = [
  [896, 896, 'float32'],
  [128, 896, 'float32'],
  [4864, 896, 'float32'],
  [896, 4864, 'float32'],
  [2048, 2048, 'float32'],
  [896, 896, 'float64'],
  [896, 4864, 'float64'],
];
/** Turns of each side; the first one warms up and is not counted. */
const turns = 5;
const warmUpTurns = 1;

interface Side {
  turn(order: SvdTurn): Promise<SvdAnswer>;
  stop(): void;
}

/** Rejects when the process ends, so that a crash is said instead of waited for. */
function endOf(child: ChildProcess): Promise<never> {
  const ended = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => {
    throw new Error(`The measured process has ended (${code ?? signal}).`);
  });
  ended.catch(() => undefined);
  return ended;
}

function startOurs(threads: number): Side {
  const child = fork(new URL('./svdWorker.ts', import.meta.url), {
    execArgv: [],
    env: { ...process.env, UV_THREADPOOL_SIZE: String(threads + 4), OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' },
  });
  const ended = endOf(child);
  const turn = async (order: SvdTurn): Promise<SvdAnswer> => {
    child.send(order);
    const answer = once(child, 'message') as Promise<SvdAnswer[]>;
    return (await Promise.race([answer, ended]))[0]!;
  };
  return { turn, stop: () => child.kill() };
}

function startScipy(threads: number): Side {
  const script = new URL('./peer/scipy_svd.py', import.meta.url).pathname;
  const environment = { ...process.env, OPENBLAS_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
  const child = spawn(scipyPython, [script], { stdio: ['pipe', 'pipe', 'inherit'], env: environment });
  const lines = createInterface({ input: child.stdout });
  const ended = endOf(child);
  const turn = async (order: SvdTurn): Promise<SvdAnswer> => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    const answer = once(lines, 'line') as Promise<string[]>;
    return JSON.parse((await Promise.race([answer, ended]))[0]!) as SvdAnswer;
  };
  return { turn, stop: () => child.kill() };
}

interface Ratios {
  clock: number;
  cpu: number;
}

const geometricMean = (values: number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

const quickest = (answers: SvdAnswer[], time: 'ms' | 'cpuMs'): number =>
  Math.min(...answers.map((answer) => answer[time]));

async function compare(ours: Side, scipy: Side, order: SvdTurn): Promise<Ratios> {
  const answers: { ours: SvdAnswer[]; scipy: SvdAnswer[] } = { ours: [], scipy: [] };
  for (let turn = 0; turn < turns; turn++) {
    const mine = await ours.turn(order);
    const other = await scipy.turn(order);
    if (turn === 0) requireSame(order, mine, other);
    if (turn < warmUpTurns) continue;
    answers.ours.push(mine);
    answers.scipy.push(other);
  }
  const [my, other] = [quickest(answers.ours, 'ms') / order.count, quickest(answers.scipy, 'ms') / order.count];
  const cpu = quickest(answers.scipy, 'cpuMs') / quickest(answers.ours, 'cpuMs');
  const { rows, columns, dtype, count, threads } = order;
  const name = `${rows} x ${columns} ${dtype}, ${count} on ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const ratio = `${(other / my).toFixed(2)}x (processor time ${cpu.toFixed(2)}x)`;
  console.log(`${name}: ours ${my.toFixed(1)} ms, scipy ${other.toFixed(1)} ms, ${ratio}`);
  return { clock: other / my, cpu };
}

/** Both have to have decomposed the same matrices. */
function requireSame({ rows, columns, dtype }: SvdTurn, mine: SvdAnswer, other: SvdAnswer): void {
  const tolerance = dtype === 'float32' ? 1e-5 : 1e-12;
  if (mine.first.every((s, i) => Math.abs(s / other.first[i]! - 1) < tolerance)) return;
  throw new Error(`The first singular values of ${rows} x ${columns} differ: ${mine.first[0]} and ${other.first[0]}.`);
}

/** Matrices that fill a file and some seconds of a turn at most. */
async function writeMatrices(folder: string, order: Omit<SvdTurn, 'file'>): Promise<SvdTurn> {
  const { rows, columns, dtype, count } = order;
  const length = rows * columns * count;
  const values = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  let state = 0x9e3779b9;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state / 2 ** 31;
  }
  const file = join(folder, `${rows}-${columns}-${dtype}-${count}`);
  await writeFile(file, new Uint8Array(values.buffer));
  return { ...order, file };
}

export async function run(): Promise<void> {
  if (!(await installScipy()))
    throw new Error('The peer is not installed: run node tests/bench/peer/installScipy.mjs first.');
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { threads: { type: 'string' }, yes: { type: 'boolean' } },
  });
  const counts = values.threads?.split(',').map(Number) ?? [...new Set([1, physicalCores()])];
  const folder = await mkdtemp(join(tmpdir(), 'rotascope-svd-'));
  const ratios: Ratios[] = [];
  try {
    for (const threads of counts) {
      const [ours, scipy] = [startOurs(threads), startScipy(threads)];
      try {
        for (const [rows, columns, dtype] of shapes) {
          const order = await writeMatrices(folder, { rows, columns, dtype, threads, count: 2 * threads });
          if (ratios.length === 0) await printKernels(ours, scipy, order);
          ratios.push(await compare(ours, scipy, order));
          await rm(order.file);
        }
      } finally {
        ours.stop();
        scipy.stop();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`Processor time: ${geometricMean(ratios.map(({ cpu }) => cpu)).toFixed(2)}x`);
  console.log(`${geometricMean(ratios.map(({ clock }) => clock)).toFixed(2)}x`);
}

async function printKernels(ours: Side, scipy: Side, order: SvdTurn): Promise<void> {
  const [mine, other] = [await ours.turn(order), await scipy.turn(order)];
  const forced = process.env['OPENBLAS_CORETYPE'];
  console.log(`ours: ${mine.kernels}; scipy ${other.scipy}: ${other.kernels}`);
  if (forced) console.log(`OPENBLAS_CORETYPE=${forced} holds both to these kernels.`);
}
