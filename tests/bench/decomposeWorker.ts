/**
 * The process that `decompose` and `memory` measure. Told over IPC what to do, one turn at a time; answers with the wall time
 * of the turn and the peak of its memory.
 */
import { readFileSync } from 'node:fs';
import { Decomposer } from '../../main/ml/spectral/decomposer.ts';
import { DecompositionCache } from '../../main/ml/spectral/decompositionCache.ts';
import { toPrecision } from '../../main/ml/spectral/linearAlgebra.ts';
import { sideBySide } from '../../main/ml/spectral/sideBySide.ts';
import { openTensorSource, type TensorSource } from '../../main/ml/spectral/tensorSource.ts';
import { lapackStatus, svdInPlaceAsync } from '../../main/compute/lapack.ts';
import type { Precision } from '../../main/contract/spectral.ts';

export interface Turn {
  /** `bare`: nothing but gesdd on matrices that lie in memory; `whole`: read, hash, decompose, check, keep. */
  kind: 'bare' | 'whole';
  folders: string[];
  layers: number[];
  threads: number;
  precision: Precision;
  cacheFolder: string;
}

export interface TurnAnswer {
  ms: number;
  /** Processor time of all threads. */
  cpuMs: number;
  matrices: number;
  largestBytes: number;
  /** Of this process before its first turn, and at its highest so far. */
  startBytes: number;
  peakBytes: number;
  kernels: string;
  worstResidual: number;
}

function memoryBytes(field: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line![1]) * 1024;
}

const kernels = lapackStatus().configuration ?? 'no LAPACK';
const startBytes = memoryBytes('VmRSS');

async function bare(
  sources: TensorSource[],
  { layers, threads, precision }: Turn,
): Promise<Pick<TurnAnswer, 'ms' | 'cpuMs'>> {
  const items = await Promise.all(
    itemsOf(sources, layers).map(async ({ source, name }) => toPrecision(await source.read(name), precision)),
  );
  const clock = startClock();
  await sideBySide(items, threads, async ({ rows, columns, data }) => {
    await svdInPlaceAsync(data, rows, columns);
  });
  return clock();
}

/** Time by the clock and of the processor since now. */
function startClock(): () => Pick<TurnAnswer, 'ms' | 'cpuMs'> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { ms: performance.now() - start, cpuMs: (user + system) / 1000 };
  };
}

function itemsOf(sources: TensorSource[], layers: number[]): { source: TensorSource; name: string }[] {
  const targets = sources[0]!.targets.filter(({ layer }) => layers.includes(layer));
  return targets.flatMap(({ name }) => sources.map((source) => ({ source, name })));
}

let worstResidual = 0;
let cache: DecompositionCache | null = null;

async function whole(sources: TensorSource[], { layers, threads, precision, cacheFolder }: Turn): Promise<void> {
  cache ??= new DecompositionCache(cacheFolder, 100e9);
  const decomposer = new Decomposer({ precision, cache });
  await sideBySide(itemsOf(sources, layers), threads, async ({ source, name }) => {
    const { residual } = await decomposer.factorisation(source, name);
    worstResidual = Math.max(worstResidual, residual);
  });
  await decomposer.settle();
}

const sourcesByFolder = new Map<string, Promise<TensorSource>>();

/** In the first turn; they stay open for those of the other layers. */
function opened(folder: string): Promise<TensorSource> {
  let source = sourcesByFolder.get(folder);
  if (!source) sourcesByFolder.set(folder, (source = openTensorSource(folder)));
  return source;
}

async function take(turn: Turn): Promise<TurnAnswer> {
  const clock = startClock();
  const sources = await Promise.all(turn.folders.map(opened));
  let times: Pick<TurnAnswer, 'ms' | 'cpuMs'>;
  if (turn.kind === 'bare') times = await bare(sources, turn);
  else {
    await whole(sources, turn);
    times = clock();
  }
  const items = itemsOf(sources, turn.layers);
  const elements = items.map(({ source, name }) => source.shape(name).reduce((a, b) => a * b));
  const largestBytes = Math.max(...elements) * (turn.precision === 'float32' ? 4 : 8);
  const peakBytes = memoryBytes('VmHWM');
  return { ...times, matrices: items.length, largestBytes, startBytes, peakBytes, kernels, worstResidual };
}

process.on('message', (turn: Turn) => {
  take(turn).then(
    (answer) => process.send!(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
