/** What a study will take, before it has run: by earlier jobs of its own sort, else by what the backend was measured at. */
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { pace } from '../../main/api/estimate.ts';
import type { ComputeStatus } from '../../main/contract/api.ts';
import { type StudySettings, studySettingsSchema } from '../../main/contract/settings.ts';
import { type Store, openStore } from '../../main/store/store.ts';
import { assumedProductsPerSecond } from '../../main/studies/stageWeights.ts';
import { temporaryFolder } from './engineProcess.ts';

const ownBase = studySettingsSchema.parse({});
const fromCheckpoint = studySettingsSchema.parse({
  preset: 'paper',
  base: { folder: '/models/a', parameters: 1e8 },
  task: { name: 'determinant' },
});
const compute: ComputeStatus = {
  ...{ backend: 'tensorflow', label: '', device: '', reason: '', nextStep: '', cuda: null, gpu: null },
  productsPerSecond: 4 * assumedProductsPerSecond,
};

async function newStore(): Promise<Store> {
  const store = await openStore(join(await temporaryFolder(), 'rotascope.sqlite'));
  onTestFinished(() => store.close());
  return store;
}

/** A study whose one SFT stage of `weight` seconds took `ms`. */
function finishedStudy(store: Store, id: string, settings: StudySettings, weight: number, ms: number): void {
  const times = { createdAtMs: 0, startedAtMs: 0, endedAtMs: ms, deletedAtMs: null };
  store.studies.insert(
    { ...times, id, name: id, settings, settingsHash: id, state: 'succeeded', sample: false, revision: 0 },
    [{ id: `${id}.sft`, seed: 0, kind: 'sft', title: 'SFT', dependsOn: [], state: 'succeeded', jobId: null, weight, output: null, note: null }], // prettier-ignore
  );
  store.jobs.insertImported({
    ...{ id: `${id}-job`, kind: 'sft', title: 'SFT', state: 'succeeded', studyId: id, stageId: `${id}.sft`, seed: 0 },
    ...{ request: {}, progress: null, provenance: null, error: null, attempt: 1, lastSeq: 0 },
    ...{ createdAtMs: 0, startedAtMs: 0, endedAtMs: ms },
  });
  store.studies.updateStage(id, `${id}.sft`, { jobId: `${id}-job` });
}

test('before anything has run, a checkpoint takes what its products take at the measured rate', async () => {
  const { jobs } = await newStore();
  expect(pace(jobs, compute, fromCheckpoint).msPerWeight).toBe(250);
  expect(pace(jobs, { ...compute, productsPerSecond: null }, fromCheckpoint).msPerWeight).toBe(1000);
  expect(pace(jobs, compute, ownBase).msPerWeight).toBe(1000);
  expect(pace(jobs, { ...compute, backend: 'wasm' }, ownBase).msPerWeight).toBeGreaterThan(1000);
});

test('runs that have finished count for studies of their own sort alone', async () => {
  const store = await newStore();
  finishedStudy(store, 'small', ownBase, 10, 5_000);
  finishedStudy(store, 'large', fromCheckpoint, 100, 700_000);
  expect(pace(store.jobs, compute, ownBase).msPerWeight).toBe(500);
  expect(pace(store.jobs, compute, fromCheckpoint).msPerWeight).toBe(7000);
});
