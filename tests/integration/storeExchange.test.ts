/** A study leaves as a folder and comes back as the same numbers; a hostile folder leaves nothing behind. */
import { cp, mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { exportStudy } from '../../main/api/studyExchange/exportStudy.ts';
import { importStudy } from '../../main/api/studyExchange/importStudy.ts';
import type { StudyFile } from '../../main/api/studyExchange/format.ts';
import { studyResult } from '../../main/jobs/studyResult.ts';
import { openStore } from '../../main/store/store.ts';
import type { Store } from '../../main/store/store.ts';
import { cliEntry, temporaryFolder, testEnvironment } from './engineProcess.ts';

let folder: string;
let exported: string;
let original: ReturnType<typeof studyResult>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotascope-test-'));
  const settings = { sft: { checkpoints: [0, 5, 10, 20], endStep: 10 }, rl: { starts: [10], controlArms: [] } };
  await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
  const args = ['study', 'miniature', '--data', folder, '--settings', join(folder, 'settings.json')];
  const child = spawn(process.execPath, [cliEntry, ...args], { stdio: 'ignore', env: testEnvironment() });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  const store = await openStore(join(folder, 'rotascope.sqlite'));
  const [study] = store.studies.list();
  original = studyResult(store, study!);
  exported = join(folder, 'exported');
  await exportStudy(store, study!.id, join(folder, 'studies', study!.id), exported);
  store.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Target {
  store: Store;
  studiesFolder: string;
}
async function openTarget(): Promise<Target> {
  const data = await temporaryFolder();
  const store = await openStore(join(data, 'rotascope.sqlite'));
  onTestFinished(() => store.close());
  return { store, studiesFolder: join(data, 'studies') };
}

test('exported and opened again, it has the same result, comparisons, metrics and its checkpoints', async () => {
  const { store, studiesFolder } = await openTarget();
  const id = await importStudy(store, exported, studiesFolder, { sample: true });
  const study = store.studies.get(id)!;
  expect(study).toMatchObject({ sample: true, state: 'succeeded' });
  const result = studyResult(store, study);
  expect({ ...result, study: null }).toEqual({ ...original, study: null });
  expect(result.study.settingsHash).toBe(original.study.settingsHash);
  const checkpoints = store.checkpoints.list();
  expect(checkpoints.map(({ folder: place }) => place.slice(studiesFolder.length + id.length + 2)).sort()).toEqual(
    ['base', 'end', 'last', 'peak', 'rlEnd'].map((name) => `checkpoints/seed-0-${name}`),
  );
  expect(checkpoints.every(({ missing, studyId }) => !missing && studyId === id)).toBe(true);
  expect(store.results.metricsOfStudy(id, 0)).toHaveLength(10);
  const kept = JSON.stringify(store.jobs.ofStudy(id));
  expect(kept).not.toContain(folder);
  expect(kept).toContain(join(studiesFolder, id));
  // A copy: another one can be opened, and the first one's settings do not stand in the way of a study of one's own.
  expect(await importStudy(store, exported, studiesFolder, { sample: true })).not.toBe(id);
  expect(store.studies.findBySettings(study.settingsHash)).toBe(undefined);
});

type Change = (file: StudyFile) => unknown;
const edited =
  (change: Change) =>
  async (copy: string): Promise<void> => {
    const path = join(copy, 'study.json');
    const file = JSON.parse(await readFile(path, 'utf8')) as StudyFile;
    await writeFile(path, JSON.stringify(change(file)));
  };
const weights = (copy: string): string => join(copy, 'checkpoints', 'seed-0-peak', 'model.safetensors');

const hostile: Record<string, (copy: string) => Promise<unknown>> = {
  'no study.json': (copy) => rm(join(copy, 'study.json')),
  'study.json is a link': async (copy) => {
    await rm(join(copy, 'study.json'));
    await symlink(join(exported, 'study.json'), join(copy, 'study.json'));
  },
  'study.json is not JSON': (copy) => writeFile(join(copy, 'study.json'), '{'),
  'study.json is enormous': (copy) => truncate(join(copy, 'study.json'), 200 * 1024 * 1024),
  'another format': edited((file) => ({ ...file, format: 'other' })),
  'a newer version': edited((file) => ({ ...file, version: 2 })),
  'a number that is text': edited((file) => ({ ...file, createdAtMs: 'now' })),
  'a checkpoint outside': edited((file) => ({
    ...file,
    checkpoints: [{ ...file.checkpoints[0]!, folder: '../../outside' }],
  })),
  'an evaluation outside': edited((file) => {
    file.jobs.find(({ kind }) => kind === 'sft')!.evaluations[0]!.checkpoint = '../secret';
    return file;
  }),
  'a path outside': edited((file) => ({
    ...file,
    stages: file.stages.map((stage) => ({ ...stage, output: { base: '{study}/../../etc' } })),
  })),
  'two stages of one name': edited((file) => ({ ...file, stages: [...file.stages, file.stages[0]] })),
  'a dependency that is not there': edited((file) => ({
    ...file,
    stages: file.stages.map((stage) => ({ ...stage, dependsOn: ['nobody'] })),
  })),
  'two jobs of one stage': edited((file) => ({ ...file, jobs: [...file.jobs, file.jobs[0]] })),
  'a checkpoint that is not there': (copy) => rm(join(copy, 'checkpoints', 'seed-0-peak'), { recursive: true }),
  'weights that are a link': async (copy) => {
    await rm(weights(copy));
    await symlink(weights(exported), weights(copy));
  },
  'weights that are cut off': (copy) => truncate(weights(copy), 5000),
  'weights that are no weights': (copy) => writeFile(weights(copy), Buffer.alloc(100, 0xff)),
};

test.each(Object.entries(hostile))('%s: refused, and nothing is kept', async (_, spoil) => {
  const { store, studiesFolder } = await openTarget();
  const copy = join(await temporaryFolder(), 'copy');
  await cp(exported, copy, { recursive: true });
  await spoil(copy);
  const error = await importStudy(store, copy, studiesFolder, { sample: false }).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ name: 'AppError', code: /^(INVALID_REQUEST|CHECKPOINT_|NOT_FOUND)/ });
  expect(store.studies.list()).toEqual([]);
  expect(store.jobs.list(10)).toEqual([]);
  expect(store.checkpoints.list()).toEqual([]);
  expect(await readdir(studiesFolder).catch(() => [])).toEqual([]);
});

test('what does not belong into a checkpoint is not copied', async () => {
  const { store, studiesFolder } = await openTarget();
  const copy = join(await temporaryFolder(), 'copy');
  await cp(exported, copy, { recursive: true });
  await writeFile(join(copy, 'checkpoints', 'seed-0-peak', 'pytorch_model.bin'), 'pickle');
  await writeFile(join(copy, 'checkpoints', 'seed-0-peak', 'run.py'), 'import os');
  const id = await importStudy(store, copy, studiesFolder, { sample: false });
  const names = await readdir(join(studiesFolder, id, 'checkpoints', 'seed-0-peak'));
  expect(names).toContain('model.safetensors');
  expect(names).not.toContain('pytorch_model.bin');
  expect(names).not.toContain('run.py');
});
