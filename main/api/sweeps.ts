/** Calls about sweeps: what one would do, starting it, what it has found so far, and any of its points as a checkpoint. */
import { readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Job } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { resumableStates } from '../contract/queue.ts';
import { rlRequestSchema, stageOutputSchemas } from '../contract/requests.ts';
import type { StudyCheckpoint } from '../contract/studyResult.ts';
import { sweepPointSchema, sweepRequestSchema } from '../contract/sweeps.ts';
import type {
  ExportPointRequest,
  Sweep,
  SweepOrder,
  SweepPointResult,
  SweepRequest,
  SweepResult,
} from '../contract/sweeps.ts';
import { mainArm } from '../studies/protocol.ts';
import type { Analysis } from '../store/analysisStore.ts';
import { checkpointRef, orderHash, spectralResources } from './analyses.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';
import { planAnswer, sweepFacts } from './sweepPlan.ts';

function makeRequest(context: EngineContext, order: SweepOrder): SweepRequest {
  const pairs = order.pairs.map(({ label, stage, referenceId, targetId }) => {
    const [reference, target] = [checkpointRef(context, referenceId), checkpointRef(context, targetId)];
    if (reference.folder === target.folder)
      throw new AppError('INVALID_REQUEST', `"${target.name}" is both target and reference.`, {
        hint: 'Choose another reference: the checkpoint to go back to.',
      });
    return { label: label || `${target.name} → ${reference.name}`, stage, reference, target };
  });
  return { name: order.name, pairs, settings: order.settings, resources: spectralResources(context) };
}

const requestOf = (job: Job): SweepRequest => sweepRequestSchema.parse(job.request);

/** Content that is known to have changed since; content that was hashed only later may be the same. */
function isStale(before: SweepRequest, now: SweepRequest): boolean {
  const contents = ({ pairs }: SweepRequest): (string | null)[] =>
    pairs.flatMap(({ target, reference }) => [target.contentHash, reference.contentHash]);
  const current = contents(now);
  return contents(before).some((hash, i) => hash !== null && current[i] != null && hash !== current[i]);
}

class Sweeps {
  readonly #context: EngineContext;
  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** @throws NOT_FOUND */
  #job(id: string): Job {
    const { analyses, jobs } = this.#context.store;
    const analysis: Analysis | undefined = analyses.get(id);
    const job = jobs.get(id);
    if (analysis?.kind === 'sweep' && job) return job;
    throw new AppError('NOT_FOUND', 'This sweep is not in the list any more.', { hint: 'Start it again.' });
  }

  view(id: string): Sweep {
    const job = this.#job(id);
    const { name, pairs, settings } = requestOf(job);
    const done = this.#context.store.analyses.done(id, 'sweep');
    const total = job.progress?.total ?? 0;
    return { id, name, pairs, settings, state: job.state, createdAtMs: job.createdAtMs, done, total };
  }

  list(): Sweep[] {
    return this.#context.store.analyses.list('sweep').map(({ jobId }) => this.view(jobId));
  }

  result(id: string): SweepResult {
    const points = this.#context.store.analyses.points(id);
    return { ...this.view(id), points, provenance: this.#job(id).provenance };
  }

  point(id: string, key: string): SweepPointResult {
    this.#job(id);
    const point = this.#context.store.analyses.point(id, key);
    if (point) return point;
    throw new AppError('NOT_FOUND', 'This point has not been made yet.', {
      hint: 'Wait until it is drawn, or resume the sweep.',
    });
  }

  /** The same order, whatever it is called, is the same sweep; it goes on where it has stopped. */
  async start(order: SweepOrder): Promise<Sweep> {
    const request = makeRequest(this.#context, order);
    const { plan } = await sweepFacts(request);
    const { store, supervisor } = this.#context;
    const hash = orderHash({ pairs: order.pairs, settings: order.settings });
    const known = store.analyses.findByOrder('sweep', hash);
    const job = known && store.jobs.get(known.jobId);
    if (job && !isStale(requestOf(job), request)) {
      if (resumableStates.includes(job.state)) supervisor.resume(job.id);
      return this.view(job.id);
    }
    return this.#enqueue(request, hash, plan.points.length);
  }

  #enqueue(request: SweepRequest, hash: string, total: number): Sweep {
    const { store, supervisor, events } = this.#context;
    const { name, settings } = request;
    const id = store.transaction(() => {
      const order = { kind: 'sweep', title: `Sweep · ${name}`, studyId: null, stageId: null, seed: settings.seed };
      const job = supervisor.enqueue({ ...order, kind: 'sweep', request });
      store.analyses.insert({ jobId: job.id, kind: 'sweep', orderHash: hash, createdAtMs: job.createdAtMs });
      store.jobs.setProgress(job.id, { done: 0, total, text: 'Waiting', remainingMs: null });
      return job.id;
    });
    events.publish({ type: 'sweep', id });
    return this.view(id);
  }

  setDeleted(id: string, deletedAtMs: number | null): void {
    const { store, supervisor, events } = this.#context;
    const { state } = this.#job(id);
    if (deletedAtMs !== null && (state === 'queued' || state === 'running')) supervisor.cancel(id);
    store.analyses.setDeleted(id, deletedAtMs);
    events.publish({ type: 'sweep', id });
  }

  exportPoint(
    id: string,
    key: string,
    folder: string | null,
    dtype: 'same' | 'F32',
  ): { jobId: string; folder: string } {
    const { name, pairs, settings } = requestOf(this.#job(id));
    const result = this.point(id, key);
    const outputFolder = outputFolderOf(
      this.#context,
      folder,
      `${name} ${key.slice(0, 8)}${dtype === 'F32' ? ' F32' : ''}`,
    );
    const request: ExportPointRequest = {
      pair: pairs[result.pair]!,
      point: sweepPointSchema.parse(result),
      settings,
      resources: spectralResources(this.#context),
      outputFolder,
      dtype,
    };
    const title = `Export · ${name}`;
    const order = { kind: 'exportPoint', title, studyId: null, stageId: null, seed: settings.seed, request } as const;
    return { jobId: this.#context.supervisor.enqueue(order).id, folder: outputFolder };
  }
}

/** @throws INVALID_REQUEST not absolute; CONFLICT it holds something */
function outputFolderOf({ dataFolder }: EngineContext, folder: string | null, name: string): string {
  if (folder !== null && !isAbsolute(folder))
    throw new AppError('INVALID_REQUEST', `"${folder}" is not a whole path.`, { hint: 'Give it from the root on.' });
  const plain = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .toLowerCase();
  const chosen = folder === null ? join(dataFolder, 'exports', plain) : resolve(folder);
  requireFree(chosen);
  return chosen;
}

/** An earlier export of the same recipe is found, and kept, by the job. */
function requireFree(folder: string): void {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new AppError('CONFLICT', `${folder} is not a folder that can be used.`, {
      hint: 'Choose another folder.',
      cause: error,
    });
  }
  if (entries.length === 0 || entries.includes('rotascope.json')) return;
  throw new AppError('CONFLICT', `${folder} holds something else.`, { hint: 'Choose an empty or a new folder.' });
}

type NamedIds = Record<StudyCheckpoint, string | null>;

/** Folders that the stages of one seed have left, as ids of the catalogue. */
function studyCheckpointIds({ store, studies }: EngineContext, studyId: string, seed: number): NamedIds {
  const { settings } = studies.record(studyId);
  const stages = store.studies.stages(studyId).filter((stage) => stage.seed === seed);
  const output = <S extends keyof typeof stageOutputSchemas>(kind: S, isWanted = (_jobId: string): boolean => true) => {
    const stage = stages.find(
      ({ kind: k, jobId, state }) => k === kind && state === 'succeeded' && jobId && isWanted(jobId),
    );
    const stored = stage?.output ?? (stage?.jobId ? store.jobs.output(stage.jobId) : undefined);
    return stageOutputSchemas[kind].safeParse(stored).data as
      ReturnType<(typeof stageOutputSchemas)[S]['parse']> | undefined;
  };
  const { endStep, checkpoints } = settings.sft;
  const sft = output('sft');
  const at = (step: number | undefined): string | undefined =>
    step === undefined ? undefined : sft?.checkpoints[String(step)];
  const anchored = (jobId: string): boolean => {
    const { data } = rlRequestSchema.pick({ arm: true, startStep: true }).safeParse(store.jobs.get(jobId)?.request);
    return data?.arm === mainArm(settings) && data.startStep === endStep;
  };
  const id = (folder: string | undefined): string | null => (folder && store.checkpoints.byFolder(folder)?.id) ?? null;
  return {
    base: id(settings.base?.folder ?? output('pretrain')?.base),
    peak: id(at(sft?.peakStep)),
    end: id(at(endStep)),
    last: id(at(Math.max(...checkpoints))),
    rlEnd: id(output('rl', anchored)?.folder),
  };
}

export function sweepHandlers(context: EngineContext): HandlerGroup {
  const sweeps = new Sweeps(context);
  return {
    'sweeps.plan': (order) => planAnswer(context, makeRequest(context, order)),
    'sweeps.start': (order) => sweeps.start(order),
    'sweeps.list': () => sweeps.list(),
    'sweeps.get': ({ id }) => sweeps.result(id),
    'sweeps.point': ({ id, key }) => sweeps.point(id, key),
    'sweeps.exportPoint': ({ id, key, folder, dtype }) => sweeps.exportPoint(id, key, folder, dtype),
    'sweeps.studyCheckpoints': ({ studyId, seed }) => studyCheckpointIds(context, studyId, seed),
    'sweeps.remove': ({ id }) => {
      sweeps.setDeleted(id, Date.now());
      return { ok: true };
    },
    'sweeps.restore': ({ id }) => {
      sweeps.setDeleted(id, null);
      return sweeps.view(id);
    },
  };
}
