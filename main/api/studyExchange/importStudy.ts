/** Opens an exported study as a new one: a copy in the data folder, checked before anything is kept. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../contract/errors.ts';
import { settingsHash } from '../../jobs/settingsHash.ts';
import type { Store } from '../../store/store.ts';
import type { StageRecord } from '../../store/studyStore.ts';
import { readCatalogueRow } from '../catalogue.ts';
import { setStudyLineage } from '../studyLineage.ts';
import {
  checkpointFileNames,
  mapStrings,
  maxCheckpointBytes,
  maxStudyFileBytes,
  studyFileName,
  studyFileSchema,
  studyPlaceholder,
} from './format.ts';
import type { StudyFile } from './format.ts';

const refused = (fact: string, cause?: unknown): AppError =>
  new AppError('INVALID_REQUEST', `This study cannot be opened: ${fact}.`, {
    hint: 'Export it again where it was made, and copy the whole folder.',
    cause,
  });

/** A regular file of at most `maxBytes`; links are not followed. */
async function sizeOfFile(path: string, name: string, maxBytes: number): Promise<number> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isFile()) throw refused(`${name} is not there or is not a file`);
  if (found.size > maxBytes) throw refused(`${name} is larger than ${Math.round(maxBytes / 1e6)} MB`);
  return found.size;
}

/** Stages refer to each other and to their jobs by name; every reference has to hold, once. */
function checkReferences(file: StudyFile): void {
  const stages = new Set(file.stages.map(({ id }) => id));
  if (stages.size !== file.stages.length) throw refused('two stages have the same name');
  for (const { id, dependsOn } of file.stages)
    if (!dependsOn.every((name) => stages.has(name))) throw refused(`stage ${id} depends on one that is not there`);
  const ran = new Set<string>();
  for (const { stageId } of file.jobs) {
    if (!stages.has(stageId) || ran.has(stageId)) throw refused(`a job belongs to no stage, or not to one alone`);
    ran.add(stageId);
  }
  const folders = new Set(file.checkpoints.map(({ folder }) => folder));
  if (folders.size !== file.checkpoints.length) throw refused('two checkpoints have the same folder');
}

/** @throws INVALID_REQUEST naming what is wrong */
export async function readStudyFile(folder: string): Promise<StudyFile> {
  const path = join(folder, studyFileName);
  await sizeOfFile(path, studyFileName, maxStudyFileBytes);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw refused(`${studyFileName} is not JSON`, cause);
  }
  const parsed = studyFileSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(`${issue!.path.join('.')} ${issue!.message}`);
  }
  checkReferences(parsed.data);
  return parsed.data;
}

/** Copies what this program reads of each checkpoint, and reads every header before it counts. */
async function copyCheckpoints(file: StudyFile, from: string, to: string): Promise<void> {
  let bytes = 0;
  for (const { folder } of file.checkpoints) {
    const source = join(from, 'checkpoints', folder);
    if (!(await lstat(source).catch(() => null))?.isDirectory()) throw refused(`the folder ${folder} is not there`);
    await mkdir(join(to, 'checkpoints', folder), { recursive: true });
    for (const name of await readdir(source)) {
      if (!checkpointFileNames.test(name)) continue;
      bytes += await sizeOfFile(join(source, name), `${folder}/${name}`, maxCheckpointBytes - bytes);
      const target = join(to, 'checkpoints', folder, name);
      await copyFile(join(source, name), target, constants.COPYFILE_FICLONE);
    }
    await readCatalogueRow(join(to, 'checkpoints', folder));
  }
}

/** `{study}/a/b` into this study's folder; never out of it. */
function localised(file: StudyFile, studyFolder: string): StudyFile {
  return mapStrings(file, (value) => {
    if (value !== studyPlaceholder && !value.startsWith(`${studyPlaceholder}/`)) return value;
    const parts = value.split('/').slice(1);
    if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\\\0]/.test(part)))
      throw refused('it names a path outside its folder');
    return join(studyFolder, ...parts);
  }) as StudyFile;
}

function insertJobs(store: Store, file: StudyFile, studyId: string, studyFolder: string): Map<string, string> {
  const jobOfStage = new Map<string, string>();
  for (const job of file.jobs) {
    const { metrics, evaluations, ablations, comparisons, output, ...columns } = job;
    const id = randomUUID();
    jobOfStage.set(job.stageId, id);
    const rest = { state: 'succeeded', progress: null, error: null, lastSeq: 0 } as const;
    store.jobs.insertImported({ ...columns, ...rest, id, studyId });
    store.jobs.setOutput(id, output);
    for (const { step, values } of metrics) store.results.putMetrics(id, 0, 1, step, values);
    for (const { step, evaluation, checkpoint } of evaluations) {
      const folder = checkpoint && join(studyFolder, 'checkpoints', checkpoint);
      store.results.putEvaluation(id, 0, step, evaluation, folder);
    }
    ablations.forEach((point, index) => store.results.putAblation(id, index, point));
    comparisons.forEach((comparison, index) => store.results.putComparison(id, index, comparison));
  }
  return jobOfStage;
}

/** Everything of the study in one transaction. */
async function insertStudy(
  store: Store,
  file: StudyFile,
  id: string,
  studyFolder: string,
  sample: boolean,
): Promise<void> {
  const rows = await Promise.all(
    file.checkpoints.map(({ folder, name, seed, step }) =>
      readCatalogueRow(join(studyFolder, 'checkpoints', folder), { name, seed, step, studyId: id }),
    ),
  );
  const { name, settings, createdAtMs, endedAtMs } = file;
  const stages = file.stages.map((stage): StageRecord => ({ ...stage, state: 'succeeded', jobId: null }));
  const times = { createdAtMs, startedAtMs: createdAtMs, endedAtMs, deletedAtMs: null };
  store.transaction(() => {
    const hash = settingsHash(settings);
    store.studies.insert(
      { id, name, settings, settingsHash: hash, state: 'succeeded', sample, revision: 1, ...times },
      stages,
    );
    for (const [stageId, jobId] of insertJobs(store, file, id, studyFolder))
      store.studies.updateStage(id, stageId, { jobId });
    for (const row of rows) store.checkpoints.put(row);
    for (const job of store.jobs.ofStudy(id)) setStudyLineage(store, job);
  });
}

/**
 * @param folder an exported study; read only
 * @param studiesFolder the new study gets a folder in here
 * @returns the new study's id
 * @throws INVALID_REQUEST, CHECKPOINT_INVALID and others when anything in the folder is not right; nothing is kept then
 */
export async function importStudy(
  store: Store,
  folder: string,
  studiesFolder: string,
  options: { sample: boolean },
): Promise<string> {
  const file = await readStudyFile(folder);
  const id = randomUUID();
  const studyFolder = join(studiesFolder, id);
  const partial = `${studyFolder}.partial`;
  const local = localised(file, studyFolder);
  try {
    await mkdir(partial, { recursive: true });
    await copyCheckpoints(file, folder, partial);
    await rename(partial, studyFolder);
    await insertStudy(store, local, id, studyFolder, options.sample);
    return id;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    await rm(studyFolder, { recursive: true, force: true });
    throw error;
  }
}
