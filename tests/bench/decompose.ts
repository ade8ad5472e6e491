/**
 * A pair of checkpoints in the shape of Qwen2.5-0.5B, end to end (read, hash, decompose, check, keep on disk), beside nothing
 * but its gesdd calls on the same number of threads, in turns of a few layers. Wanted: at most 1.2 times.
 *
 *   npm run bench -- decompose [--layers 24] [--threads CORES] [--float64]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { physicalCores } from '../../main/jobs/physicalCores.ts';
import type { Turn, TurnAnswer } from './decomposeWorker.ts';
import { qwen05b, writeSyntheticCheckpoint } from './syntheticCheckpoint.ts';

/** So many that the last matrix of a turn, which others may not run beside, weighs little. */
const layersOfTurn = 4;

export interface TurnTaker {
  turn(order: Turn): Promise<TurnAnswer>;
  stop(): void;
}

/** A process of its own, with a thread for each decomposition. */
export function startTurns(threads: number): TurnTaker {
  const child = fork(new URL('./decomposeWorker.ts', import.meta.url), {
    execArgv: [],
    env: { ...process.env, UV_THREADPOOL_SIZE: String(threads + 4), OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' },
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the measured process has ended');
  });
  ended.catch(() => undefined);
  const turn = async (order: Turn): Promise<TurnAnswer> => {
    child.send(order);
    const [answer] = (await Promise.race([once(child, 'message'), ended])) as [TurnAnswer];
    return answer;
  };
  return { turn, stop: () => child.kill() };
}

/** Sizes of the bench from the command line. */
export function benchOptions(layers: number): { layers: number; threads: number; precision: 'float32' | 'float64' } {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { layers: { type: 'string' }, threads: { type: 'string' }, float64: { type: 'boolean' } },
  });
  return {
    layers: Number(values.layers ?? layers),
    threads: Number(values.threads ?? physicalCores()),
    precision: values.float64 ? 'float64' : 'float32',
  };
}

export function printMemory({ peakBytes, startBytes, largestBytes }: TurnAnswer, threads: number): void {
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const multiple = (peakBytes - startBytes) / largestBytes / threads;
  console.log(
    `Peak memory ${mb(peakBytes)}, ${mb(startBytes)} of it before the first matrix; the largest matrix has ` +
      `${mb(largestBytes)}: ${multiple.toFixed(2)} times that for each of ${threads} threads`,
  );
}

export async function run(): Promise<void> {
  const { layers, threads, precision } = benchOptions(qwen05b.layers);
  const folder = await mkdtemp(join(tmpdir(), 'rotascope-decompose-'));
  const [bare, whole] = [startTurns(threads), startTurns(threads)];
  try {
    const folders = [join(folder, 'reference'), join(folder, 'target')];
    const shape = { ...qwen05b, layers };
    await writeSyntheticCheckpoint(folders[0]!, shape, { seed: 1 });
    await writeSyntheticCheckpoint(folders[1]!, shape, { seed: 1, change: 0.01 });
    const sums = { bare: 0, whole: 0, bareCpu: 0, wholeCpu: 0, matrices: 0 };
    let last: TurnAnswer | null = null;
    for (let first = 0; first < layers; first += layersOfTurn) {
      const turnLayers = Array.from({ length: Math.min(layersOfTurn, layers - first) }, (_, i) => first + i);
      const order = { folders, layers: turnLayers, threads, precision, cacheFolder: folder };
      const alone = await bare.turn({ ...order, kind: 'bare' });
      sums.bare += alone.ms;
      sums.bareCpu += alone.cpuMs;
      last = await whole.turn({ ...order, kind: 'whole' });
      sums.whole += last.ms;
      sums.wholeCpu += last.cpuMs;
      sums.matrices += last.matrices;
    }
    if (!last) return;
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
    console.log(
      `${last.kernels}, ${threads} threads, ${precision}; worst residual ${last.worstResidual.toExponential(1)}`,
    );
    console.log(`${sums.matrices} matrices: end to end ${seconds(sums.whole)}, bare gesdd ${seconds(sums.bare)}`);
    const cpu = `${seconds(sums.wholeCpu)} and ${seconds(sums.bareCpu)}`;
    console.log(`Processor time ${cpu}: ${(sums.wholeCpu / sums.bareCpu).toFixed(2)}x`);
    printMemory(last, threads);
    console.log(`${(sums.whole / sums.bare).toFixed(2)}x of the bare gesdd calls`);
  } finally {
    bare.stop();
    whole.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
