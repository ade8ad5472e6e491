/**
 * Spectra of a reference and of one or several targets (a trajectory), matrix by matrix, several at a time. The curves of
 * each go to a file of the job's folder before its event is written, so that a stopped job repeats at most the matrices that
 * were under way.
 *
 * Order: by weight, then by target, so that a decomposition of the reference serves all targets while it is in memory.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { CheckpointRef, CompareRequest, MatrixCurves, MatrixSummary, Precision } from '../../contract/spectral.ts';
import { compareRequestSchema, matrixFileSchema } from '../../contract/spectral.ts';
import { comparisonFlops } from '../../ml/spectral/comparisonCost.ts';
import { chosenWeights, requireSameWeights, type ComparedWeight } from '../../ml/spectral/comparedWeights.ts';
import { compareMatrix } from '../../ml/spectral/compareStreamed.ts';
import type { Factorisation } from '../../ml/spectral/decompose.ts';
import { Decomposer } from '../../ml/spectral/decomposer.ts';
import { DecompositionCache } from '../../ml/spectral/decompositionCache.ts';
import type { RealOf } from '../../ml/spectral/linearAlgebra.ts';
import { sideBySide } from '../../ml/spectral/sideBySide.ts';
import { openTensorSource, type TensorSource } from '../../ml/spectral/tensorSource.ts';
import { eventsFileName, readHistory } from '../eventWriter.ts';
import type { JobContext } from '../jobContext.ts';

interface Pair {
  weight: ComparedWeight;
  /** Of the request's targets. */
  target: number;
  file: string;
}

/** More targets than this are opened for each matrix anew: a trajectory of sharded checkpoints has too many files. */
const openTargets = 16;

class Sources {
  readonly #open = new Map<string, Promise<TensorSource>>();
  readonly #keepAll: boolean;
  readonly #keep: Set<string>;

  constructor({ reference, restoration, targets }: CompareRequest) {
    this.#keepAll = targets.length <= openTargets;
    this.#keep = new Set([reference.folder, ...(restoration ? [restoration.folder] : [])]);
  }

  async use<T>({ folder }: CheckpointRef, work: (source: TensorSource) => Promise<T>): Promise<T> {
    if (this.#keepAll || this.#keep.has(folder)) return work(await this.kept(folder));
    const source = await openTensorSource(folder);
    try {
      return await work(source);
    } finally {
      await source.close();
    }
  }

  kept(folder: string): Promise<TensorSource> {
    let source = this.#open.get(folder);
    if (!source) this.#open.set(folder, (source = openTensorSource(folder)));
    return source;
  }

  async close(): Promise<void> {
    for (const source of await Promise.allSettled(this.#open.values()))
      if (source.status === 'fulfilled') await source.value.close();
  }
}

/** Every matrix of every target, checked against each header before anything is computed. */
async function plan(request: CompareRequest, sources: Sources): Promise<Pair[]> {
  const { reference, restoration, targets, settings } = request;
  const source = await sources.kept(reference.folder);
  const weights = chosenWeights({ name: reference.name, source }, settings);
  for (const other of restoration ? [...targets, restoration] : targets)
    await sources.use(other, (opened) => {
      requireSameWeights(weights, reference.name, { name: other.name, source: opened }, settings);
      return Promise.resolve();
    });
  return weights.flatMap((weight, w) =>
    targets.map((_, target) => ({ weight, target, file: `matrices/${w}-${target}.json` })),
  );
}

/** Decompositions of the reference, each kept until its last target is through. */
class ReferenceFactors<P extends Precision> {
  readonly #decomposer: Decomposer<P>;
  readonly #source: TensorSource;
  readonly #left = new Map<string, number>();
  readonly #held = new Map<string, Promise<Factorisation<RealOf<P>>>>();

  constructor(decomposer: Decomposer<P>, source: TensorSource, pairs: readonly Pair[]) {
    this.#decomposer = decomposer;
    this.#source = source;
    for (const { weight } of pairs) this.#left.set(weight.name, (this.#left.get(weight.name) ?? 0) + 1);
  }

  of(name: string): Promise<Factorisation<RealOf<P>>> {
    let held = this.#held.get(name);
    if (!held) this.#held.set(name, (held = this.#decomposer.factorisation(this.#source, name)));
    return held;
  }

  release(name: string): void {
    const left = this.#left.get(name)! - 1;
    this.#left.set(name, left);
    if (left === 0) this.#held.delete(name);
  }
}

/** What an earlier attempt has left of a matrix; null when it is not there or of another one. */
function readBack(folder: string, { weight, file }: Pair): MatrixSummary | null {
  try {
    const { summary } = matrixFileSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    return summary.weight === weight.name ? summary : null;
  } catch {
    return null;
  }
}

function emittedBefore(folder: string): Set<string> {
  const { events } = readHistory(join(folder, eventsFileName));
  return new Set(events.flatMap((event) => (event.type === 'matrix' ? [event.file] : [])));
}

export async function kind(context: JobContext): Promise<{ matrices: number }> {
  const request = compareRequestSchema.parse(context.request);
  const sources = new Sources(request);
  try {
    return await compareAll(context, request, request.settings.precision, sources);
  } finally {
    await sources.close();
  }
}

async function compareAll<P extends Precision>(
  context: JobContext,
  request: CompareRequest,
  precision: P,
  sources: Sources,
): Promise<{ matrices: number }> {
  const { folder, signal, emit } = context;
  const { reference, restoration, targets, settings, resources } = request;
  const pairs = await plan(request, sources);
  mkdirSync(join(folder, 'matrices'), { recursive: true });
  const emitted = emittedBefore(folder);
  const missing = pairs.filter((pair) => {
    const summary = readBack(folder, pair);
    if (summary && !emitted.has(pair.file)) emit({ type: 'matrix', target: pair.target, summary, file: pair.file });
    return summary === null;
  });
  const cache = new DecompositionCache(resources.cacheFolder, resources.cacheBudgetBytes);
  const decomposer = new Decomposer({ precision, cache, signal });
  const source = await sources.kept(reference.folder);
  const restorationSource = restoration && (await sources.kept(restoration.folder));
  const referenceFactors = new ReferenceFactors(decomposer, source, missing);
  const progress = new ComparisonProgress(context, pairs, missing);
  const where = (target: number): string => (targets.length > 1 ? ` of ${targets[target]!.name}` : '');
  await sideBySide(
    missing,
    resources.threads,
    async ({ weight, target, file }) => {
      const startedMs = Date.now();
      progress.say(`Layer ${weight.layer}, ${weight.matrix}${where(target)}`);
      const compared = await sources.use(targets[target]!, async (targetSource) => {
        const factors = {
          reference: await referenceFactors.of(weight.name),
          target: await decomposer.factorisation(targetSource, weight.name),
        };
        const all = { reference: source, target: targetSource, restoration: restorationSource };
        return compareMatrix({ weight, factors, ...all }, settings, signal);
      });
      referenceFactors.release(weight.name);
      const summary: MatrixSummary = { ...compared.summary, durationMs: Date.now() - startedMs };
      await writeCurves(join(folder, file), summary, compared.curves);
      emit({ type: 'matrix', target, summary, file });
      progress.done(weight);
    },
    signal,
  );
  await decomposer.settle();
  if (cache.problem) emit({ type: 'log', level: 'warn', text: `Decompositions could not be kept: ${cache.problem}` });
  return { matrices: pairs.length };
}

async function writeCurves(file: string, summary: MatrixSummary, curves: MatrixCurves): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify({ summary, curves })}\n`);
}

/** Time left by what the matrices cost, which differs by a factor of a hundred between k and down. */
class ComparisonProgress {
  readonly #context: JobContext;
  readonly #total: number;
  readonly #startedMs = Date.now();
  #doneCount: number;
  #doneFlops = 0;
  #leftFlops: number;
  #text = '';

  constructor(context: JobContext, pairs: readonly Pair[], missing: readonly Pair[]) {
    this.#context = context;
    this.#total = pairs.length;
    this.#doneCount = pairs.length - missing.length;
    this.#leftFlops = missing.reduce((sum, { weight }) => sum + comparisonFlops(weight.shape), 0);
    this.say('Comparing');
  }

  say(text: string): void {
    this.#text = text;
    this.#emit();
  }

  done({ shape }: ComparedWeight): void {
    const flops = comparisonFlops(shape);
    this.#doneCount++;
    this.#doneFlops += flops;
    this.#leftFlops -= flops;
    this.#emit();
  }

  #emit(): void {
    const elapsedMs = Date.now() - this.#startedMs;
    const remainingMs = this.#doneFlops > 0 ? Math.round((elapsedMs / this.#doneFlops) * this.#leftFlops) : null;
    this.#context.emit({
      type: 'progress',
      done: this.#doneCount,
      total: this.#total,
      text: this.#text,
      ...(remainingMs === null ? {} : { remainingMs }),
    });
  }
}
