/** Calls about comparisons of checkpoints: what one costs, starting it, and what it has found so far. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../contract/errors.ts';
import type { Job } from '../contract/api.ts';
import { resumableStates } from '../contract/queue.ts';
import { compareRequestSchema, matrixFileSchema, projections } from '../contract/spectral.ts';
import type {
  CheckpointRef,
  CompareRequest,
  MatrixFile,
  MatrixSummary,
  SpectraOrder,
  SpectralComparison,
  SpectralResult,
} from '../contract/spectral.ts';
import { chosenWeights, requireSameWeights, type ComparedWeight } from '../ml/spectral/comparedWeights.ts';
import { DecompositionCache } from '../ml/spectral/decompositionCache.ts';
import { openTensorSource } from '../ml/spectral/tensorSource.ts';
import type { Analysis } from '../store/analysisStore.ts';
import { checkpointRef, orderHash, spectralResources } from './analyses.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';
import { estimateComparison } from './spectraEstimate.ts';

/** A call is short: of a longer trajectory the job checks the rest, before it computes. */
const checkedTargets = 20;

function makeRequest(context: EngineContext, order: SpectraOrder): CompareRequest {
  const { referenceId, targetIds, restorationId, settings } = order;
  return {
    reference: checkpointRef(context, referenceId),
    targets: targetIds.map((id) => checkpointRef(context, id)),
    restoration: restorationId === null ? null : checkpointRef(context, restorationId),
    settings,
    resources: spectralResources(context),
  };
}

/** Reads headers only. @throws SHAPE_MISMATCH | NOT_FOUND naming the first weight; INVALID_REQUEST nothing is chosen */
async function checkedWeights({
  reference,
  targets,
  restoration,
  settings,
}: CompareRequest): Promise<ComparedWeight[]> {
  const source = await openTensorSource(reference.folder);
  try {
    const weights = chosenWeights({ name: reference.name, source }, settings);
    const others: CheckpointRef[] = [...targets.slice(0, checkedTargets), ...(restoration ? [restoration] : [])];
    for (const { name, folder } of others) {
      const other = await openTensorSource(folder);
      try {
        requireSameWeights(weights, reference.name, { name, source: other }, settings);
      } finally {
        await other.close();
      }
    }
    return weights;
  } finally {
    await source.close();
  }
}

/** Decompositions that are on the disk, of those whose tensor hash is known. */
async function cachedCount(
  { store }: EngineContext,
  { reference, targets, settings, resources }: CompareRequest,
  weights: readonly ComparedWeight[],
): Promise<number> {
  const cache = new DecompositionCache(resources.cacheFolder, resources.cacheBudgetBytes);
  const chosen = new Set(weights.map(({ name }) => name));
  let count = 0;
  for (const { id } of [reference, ...targets])
    for (const { name, hash } of store.checkpoints.digests(id))
      if (chosen.has(name) && (await cache.has(hash, settings.precision))) count++;
  return count;
}

/** What has to be equal for an earlier comparison to stand for this order. */
const contents = ({ reference, targets, restoration }: CompareRequest): (string | null)[] =>
  [reference, ...targets, ...(restoration ? [restoration] : [])].map(({ contentHash }) => contentHash);

/** Content that is known to have changed since; content that was hashed only later may be the same. */
function isStale(before: CompareRequest, now: CompareRequest): boolean {
  const [old, current] = [contents(before), contents(now)];
  return old.some((hash, i) => hash !== null && current[i] != null && hash !== current[i]);
}

const byLayerAndMatrix = (a: MatrixSummary, b: MatrixSummary): number =>
  a.layer - b.layer || projections.indexOf(a.matrix) - projections.indexOf(b.matrix);

const requestOf = (job: Job): CompareRequest => compareRequestSchema.parse(job.request);

class Spectra {
  readonly #context: EngineContext;
  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** @throws NOT_FOUND */
  #get(id: string): { analysis: Analysis; job: Job } {
    const { analyses, jobs } = this.#context.store;
    const analysis = analyses.get(id);
    const job = jobs.get(id);
    if (analysis?.kind === 'compare' && job) return { analysis, job };
    throw new AppError('NOT_FOUND', 'This comparison is not in the list any more.', { hint: 'Start it again.' });
  }

  view(id: string): SpectralComparison {
    const { job } = this.#get(id);
    const { reference, targets, restoration, settings } = requestOf(job);
    return {
      id,
      reference,
      targets,
      restoration,
      settings,
      state: job.state,
      createdAtMs: job.createdAtMs,
      done: this.#context.store.analyses.done(id, 'compare'),
      total: job.progress?.total ?? 0,
    };
  }

  list(): SpectralComparison[] {
    return this.#context.store.analyses.list('compare').map(({ jobId }) => this.view(jobId));
  }

  result(id: string): SpectralResult {
    const view = this.view(id);
    const rows: MatrixSummary[][] = view.targets.map(() => []);
    for (const { target, summary } of this.#context.store.analyses.matrices(id)) rows[target]?.push(summary);
    for (const row of rows) row.sort(byLayerAndMatrix);
    return { ...view, rows, provenance: this.#get(id).job.provenance };
  }

  matrix(id: string, target: number, weight: string): MatrixFile {
    this.#get(id);
    const row = this.#context.store.analyses.matrix(id, target, weight);
    if (!row)
      throw new AppError('NOT_FOUND', `"${weight}" has not been compared yet.`, {
        hint: 'Wait until its cell is filled, or resume the comparison.',
      });
    const file = join(this.#context.supervisor.folder(id), row.file);
    try {
      return matrixFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch (cause) {
      throw new AppError('NOT_FOUND', `The curves of "${weight}" are no longer at ${file}.`, {
        hint: 'Remove this comparison and start it again: decompositions that are still on the disk are used.',
        cause,
      });
    }
  }

  async estimate(order: SpectraOrder): Promise<ReturnType<typeof estimateComparison>> {
    const request = makeRequest(this.#context, order);
    const weights = await checkedWeights(request);
    const cached = await cachedCount(this.#context, request, weights);
    const { threads, cacheBudgetBytes: budgetBytes } = request.resources;
    const machine = { store: this.#context.store, threads, budgetBytes };
    return estimateComparison(weights, request.targets.length, cached, request.settings, machine);
  }

  async start(order: SpectraOrder): Promise<SpectralComparison> {
    const request = makeRequest(this.#context, order);
    const hash = orderHash(order);
    const weights = await checkedWeights(request);
    const { store, supervisor } = this.#context;
    const known = store.analyses.findByOrder('compare', hash);
    const job = known && store.jobs.get(known.jobId);
    if (job && !isStale(requestOf(job), request)) {
      if (resumableStates.includes(job.state)) supervisor.resume(job.id);
      return this.view(job.id);
    }
    return this.#enqueue(request, hash, weights.length);
  }

  #enqueue(request: CompareRequest, hash: string, weights: number): SpectralComparison {
    const { store, supervisor, events } = this.#context;
    const { reference, targets, settings } = request;
    const to = targets.length === 1 ? targets[0]!.name : `${targets.length} checkpoints`;
    const title = `Spectra · ${reference.name} → ${to}`;
    const id = store.transaction(() => {
      const order = { kind: 'compare', title, studyId: null, stageId: null, seed: settings.seed, request } as const;
      const job = supervisor.enqueue(order);
      store.analyses.insert({ jobId: job.id, kind: 'compare', orderHash: hash, createdAtMs: job.createdAtMs });
      const total = weights * targets.length;
      store.jobs.setProgress(job.id, { done: 0, total, text: 'Waiting', remainingMs: null });
      return job.id;
    });
    events.publish({ type: 'spectra', id });
    return this.view(id);
  }

  setDeleted(id: string, deletedAtMs: number | null): void {
    const { store, supervisor, events } = this.#context;
    const { job } = this.#get(id);
    if (deletedAtMs !== null && (job.state === 'queued' || job.state === 'running')) supervisor.cancel(id);
    store.analyses.setDeleted(id, deletedAtMs);
    events.publish({ type: 'spectra', id });
  }
}

export function spectraHandlers(context: EngineContext): HandlerGroup {
  const spectra = new Spectra(context);
  return {
    'spectra.estimate': (order) => spectra.estimate(order),
    'spectra.start': (order) => spectra.start(order),
    'spectra.list': () => spectra.list(),
    'spectra.get': ({ id }) => spectra.result(id),
    'spectra.matrix': ({ id, target, weight }) => spectra.matrix(id, target, weight),
    'spectra.remove': ({ id }) => {
      spectra.setDeleted(id, Date.now());
      return { ok: true };
    },
    'spectra.restore': ({ id }) => {
      spectra.setDeleted(id, null);
      return spectra.view(id);
    },
  };
}
