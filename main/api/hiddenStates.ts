/** Calls about hidden states at chosen checkpoints: starting the job, and what it has found. */
import type { CallAnswer, Job } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { hiddenStatesRequestSchema, hiddenStatesResultSchema } from '../contract/hiddenStates.ts';
import type { HiddenStates, HiddenStatesOrder, HiddenStatesRequest } from '../contract/hiddenStates.ts';
import { resumableStates } from '../contract/queue.ts';
import { checkpointRef, orderHash } from './analyses.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';

function makeRequest(context: EngineContext, { checkpoints, settings }: HiddenStatesOrder): HiddenStatesRequest {
  if (new Set(checkpoints.map(({ id }) => id)).size !== checkpoints.length)
    throw new AppError('INVALID_REQUEST', 'A checkpoint is chosen twice.', { hint: 'Choose each of them once.' });
  const rows = checkpoints.flatMap(({ id }) => context.store.checkpoints.get(id) ?? []);
  const other = rows.find(({ architecture }) => architecture !== rows[0]?.architecture);
  if (other)
    throw new AppError(
      'SHAPE_MISMATCH',
      `"${rows[0]!.name}" is of the architecture ${rows[0]!.architecture}, "${other.name}" of ${other.architecture}.`,
      { hint: 'Choose checkpoints of one architecture: others have no space in common.' },
    );
  const named = checkpoints.map(({ id, label, role }) => {
    const ref = checkpointRef(context, id);
    return { ...ref, label: label || ref.name, role };
  });
  return { checkpoints: named, settings };
}

const requestOf = (job: Job): HiddenStatesRequest => hiddenStatesRequestSchema.parse(job.request);
const viewOf = (job: Job): HiddenStates => ({
  ...requestOf(job),
  id: job.id,
  state: job.state,
  createdAtMs: job.createdAtMs,
});

/** Content that is known to have changed since; content that was hashed only later may be the same. */
const isStale = (before: HiddenStatesRequest, now: HiddenStatesRequest): boolean =>
  before.checkpoints.some(({ contentHash: hash }, i) => {
    const current = now.checkpoints[i]!.contentHash;
    return hash !== null && current !== null && hash !== current;
  });

function start(context: EngineContext, order: HiddenStatesOrder): HiddenStates {
  const { store, supervisor } = context;
  const request = makeRequest(context, order);
  // A label is only a name: the rest makes two orders the same.
  const hash = orderHash({ ids: order.checkpoints.map(({ id, role }) => [id, role]), settings: order.settings });
  const known = store.analyses.findByOrder('hiddenStates', hash);
  const earlier = known && store.jobs.get(known.jobId);
  if (earlier && !isStale(requestOf(earlier), request)) {
    if (resumableStates.includes(earlier.state)) supervisor.resume(earlier.id);
    return viewOf(store.jobs.get(earlier.id)!);
  }
  return store.transaction(() => {
    const title = `Hidden states of ${request.checkpoints.length} checkpoints`;
    const { seed } = request.settings;
    const job = supervisor.enqueue({ kind: 'hiddenStates', title, studyId: null, stageId: null, seed, request });
    store.analyses.insert({ jobId: job.id, kind: 'hiddenStates', orderHash: hash, createdAtMs: job.createdAtMs });
    return viewOf(job);
  });
}

/** @throws NOT_FOUND */
function answer({ store }: EngineContext, id: string): CallAnswer<'hiddenStates.get'> {
  const job = store.jobs.get(id);
  if (job?.kind !== 'hiddenStates')
    throw new AppError('NOT_FOUND', 'These hidden states are not in the list any more.', {
      hint: 'Compute them again.',
    });
  const output = store.jobs.output(id);
  const result = output === null ? null : hiddenStatesResultSchema.parse(output);
  return { ...viewOf(job), result, provenance: job.provenance };
}

export function hiddenStatesHandlers(context: EngineContext): HandlerGroup {
  const { analyses, jobs } = context.store;
  return {
    'hiddenStates.start': (order) => start(context, order),
    'hiddenStates.list': () => analyses.list('hiddenStates').map(({ jobId }) => viewOf(jobs.get(jobId)!)),
    'hiddenStates.get': ({ id }) => answer(context, id),
  };
}
