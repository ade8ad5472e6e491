/** Our side of `npm run bench -- svd`, in a process that has a thread for each decomposition. */
import { readFileSync } from 'node:fs';
import { lapackStatus, svdInPlaceAsync } from '../../main/compute/lapack.ts';
import { sideBySide } from '../../main/ml/spectral/sideBySide.ts';

export interface SvdTurn {
  /** `count` matrices, row-major, one after another. */
  file: string;
  rows: number;
  columns: number;
  dtype: 'float32' | 'float64';
  count: number;
  threads: number;
}

export interface SvdAnswer {
  /** For all of them, by the clock and of all threads' processor time. */
  ms: number;
  cpuMs: number;
  /** First singular value of each. */
  first: number[];
  kernels: string;
  scipy?: string;
}

let loaded: { file: string; matrices: (Float32Array | Float64Array)[] } = { file: '', matrices: [] };

function load({ file, rows, columns, dtype, count }: SvdTurn): (Float32Array | Float64Array)[] {
  if (loaded.file !== file) {
    const bytes = new Uint8Array(readFileSync(file));
    const values = dtype === 'float32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
    const size = rows * columns;
    loaded = { file, matrices: Array.from({ length: count }, (_, i) => values.slice(i * size, (i + 1) * size)) };
  }
  return loaded.matrices;
}

async function take(turn: SvdTurn): Promise<SvdAnswer> {
  const matrices = load(turn);
  const first = new Array<number>(turn.count);
  const start = performance.now();
  const cpu = process.cpuUsage();
  await sideBySide(matrices, turn.threads, async (matrix, i) => {
    // a copy, as scipy makes one: gesdd destroys what it is given
    const { s } = await svdInPlaceAsync(matrix.slice(), turn.rows, turn.columns);
    first[i] = s[0]!;
  });
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000;
  return { ms: performance.now() - start, cpuMs, first, kernels: lapackStatus().configuration ?? 'no LAPACK' };
}

process.on('message', (turn: SvdTurn) => {
  take(turn).then(
    (answer) => process.send!(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
