/** What a comparison will cost, from headers and from how fast earlier ones were on this machine. */
import type { CallAnswer } from '../contract/api.ts';
import type { ComparisonSettings, MatrixSummary, Precision } from '../contract/spectral.ts';
import { comparisonFlops } from '../ml/spectral/comparisonCost.ts';
import type { ComparedWeight } from '../ml/spectral/comparedWeights.ts';
import type { Store } from '../store/store.ts';

/** One thread with OpenBLAS until a comparison has been measured here: half of what a server core of 2023 does. */
const defaultFlopsPerMs: Record<Precision, number> = { float32: 4e7, float64: 2e7 };
/** Reading, hashing and writing a matrix, ms. */
const overheadMs = 5;
/** Newest comparisons whose pace counts. */
const remembered = 3;
/** Of a worker that holds nothing yet, bytes. */
const workerBytes = 150e6;
/** Both decompositions or one and LAPACK's workspace, in sizes of the largest matrix; 3.3 measured on 18944 x 3584. */
const matricesHeld = 4;
const bytesOf = { float32: 4, float64: 8 } as const satisfies Record<Precision, number>;
/** Of one number of a curve in its file. */
const charactersPerNumber = 11;
const curves = 7;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Operations per ms of one thread while all threads were at work. */
function flopsPerMs(store: Store, precision: Precision): number {
  const finished = store.analyses.list('compare').filter(({ jobId }) => store.jobs.get(jobId)?.state === 'succeeded');
  const rows: MatrixSummary[] = finished
    .slice(0, remembered)
    .flatMap(({ jobId }) => store.analyses.matrices(jobId).map(({ summary }) => summary));
  const paces = rows
    .filter((row) => row.precision === precision && row.durationMs > overheadMs)
    .map(({ shape, durationMs }) => comparisonFlops(shape) / (durationMs - overheadMs));
  return paces.length > 0 ? median(paces) : defaultFlopsPerMs[precision];
}

export function estimateComparison(
  weights: readonly ComparedWeight[],
  targets: number,
  cached: number,
  { precision }: ComparisonSettings,
  { store, threads, budgetBytes }: { store: Store; threads: number; budgetBytes: number },
): CallAnswer<'spectra.estimate'> {
  const matrices = weights.length * targets;
  const flops = weights.reduce((sum, { shape }) => sum + comparisonFlops(shape), 0) * targets;
  const decompositions = weights.length * (targets + 1);
  const share = decompositions === 0 ? 0 : cached / decompositions;
  const bytes = bytesOf[precision];
  const largest = Math.max(...weights.map(({ shape: [rows, columns] }) => rows * columns));
  const factors = weights.map(({ shape: [m, n] }) => bytes * Math.min(m, n) * (m + n + 1));
  const kept = factors.reduce((sum, x) => sum + x, 0) * (targets + 1) * (1 - share);
  const numbers = weights.reduce((sum, { shape }) => sum + curves * Math.min(...shape), 0) * targets;
  // two of the 2.6 parts of a comparison are its decompositions
  const work = flops * (1 - (share * 2) / 2.6);
  return {
    matrices,
    cached,
    durationMs: Math.round((work / flopsPerMs(store, precision) + matrices * overheadMs) / threads),
    peakBytes: Math.round(workerBytes + Math.min(threads, matrices) * matricesHeld * largest * bytes),
    diskBytes: Math.round(Math.min(kept, budgetBytes) + numbers * charactersPerNumber),
  };
}
