/** Writes a finished study as a folder that another data folder can open. */
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import type { Job } from '../../contract/api.ts';
import { AppError } from '../../contract/errors.ts';
import { decomposeRequestSchema } from '../../contract/requests.ts';
import type { Store } from '../../store/store.ts';
import { checkpointFileNames, mapStrings, studyFileName, studyPlaceholder } from './format.ts';
import type { StudyFile } from './format.ts';

/** "seed-0-peak" by the folder that it is copied from: the checkpoints that the study names, seed by seed. */
function namedFolders(jobs: readonly Job[]): Map<string, string> {
  const folders = new Map<string, string>();
  for (const job of jobs) {
    if (job.kind !== 'decompose') continue;
    const request = decomposeRequestSchema.safeParse(job.request);
    if (!request.success) continue;
    for (const [name, folder] of Object.entries(request.data.checkpoints))
      if (!folders.has(folder)) folders.set(folder, `seed-${request.data.seed}-${name}`);
  }
  return folders;
}

function exportJob(store: Store, job: Job, names: ReadonlyMap<string, string>): StudyFile['jobs'][number] {
  const { kind, title, seed, request, provenance, attempt, createdAtMs, startedAtMs, endedAtMs } = job;
  const evaluations = store.results.evaluations(job.id).map(({ step, evaluation, folder }) => {
    return { step, evaluation, checkpoint: (folder && names.get(folder)) ?? null };
  });
  return {
    ...{ kind, title, stageId: job.stageId ?? '', seed, request, output: store.jobs.output(job.id), provenance },
    ...{ attempt, createdAtMs, startedAtMs, endedAtMs, evaluations },
    metrics: store.results.metrics(job.id).map(({ step, values }) => ({ step, values })),
    ablations: store.results.ablations(job.id),
    comparisons: store.results.comparisons(job.id),
  };
}

/** Paths below the study's folder lose what is this machine's own; copied checkpoints get their new place. */
function portable(file: StudyFile, studyFolder: string, names: ReadonlyMap<string, string>): unknown {
  return mapStrings(file, (value) => {
    const name = names.get(value);
    if (name !== undefined) return `${studyPlaceholder}/checkpoints/${name}`;
    if (value !== studyFolder && !value.startsWith(studyFolder + sep)) return value;
    return [studyPlaceholder, ...relative(studyFolder, value).split(sep)].join('/');
  });
}

/**
 * Writes `folder`, complete or not at all.
 * @param studyFolder where the stages of this study have written
 * @throws CONFLICT the study has not finished; NOT_FOUND
 */
export async function exportStudy(store: Store, studyId: string, studyFolder: string, folder: string): Promise<void> {
  const study = store.studies.get(studyId);
  if (!study) throw new AppError('NOT_FOUND', `There is no study ${studyId}.`, { hint: 'See the list of studies.' });
  if (study.state !== 'succeeded')
    throw new AppError('CONFLICT', `"${study.name}" is ${study.state}.`, {
      hint: 'Only a finished study is exported.',
    });
  // Without those that a rerun has replaced.
  const jobs = store.jobs.ofStudy(studyId).filter(({ stageId }) => stageId !== null);
  const names = namedFolders(jobs);
  const listed = [...names].map(([from, name]) => {
    const row = store.checkpoints.byFolder(from);
    return { folder: name, name: row?.name ?? name, seed: row?.seed ?? null, step: row?.step ?? null };
  });
  const file: StudyFile = {
    format: 'rotascope-study',
    version: 1,
    name: study.name,
    settings: study.settings,
    createdAtMs: study.createdAtMs,
    endedAtMs: study.endedAtMs,
    stages: store.studies.stages(studyId).map(({ state: _, jobId: __, ...stage }) => stage),
    jobs: jobs.map((job) => exportJob(store, job, names)),
    checkpoints: listed,
  };
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(join(partial, 'checkpoints'), { recursive: true });
  for (const [from, name] of names)
    await cp(from, join(partial, 'checkpoints', name), {
      recursive: true,
      filter: (source) => source === from || checkpointFileNames.test(basename(source)),
    });
  await writeFile(join(partial, studyFileName), `${JSON.stringify(portable(file, studyFolder, names))}\n`);
  await rename(partial, folder);
}
