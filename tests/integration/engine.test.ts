/** Whole studies through a real engine in a process of its own, undisturbed and killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { EngineEvent, Job, Study } from '../../main/contract/api.ts';
import type { StudySettingsInput } from '../../main/contract/settings.ts';
import type { StudyResult } from '../../main/contract/studyResult.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const settings: StudySettingsInput = {
  sft: { checkpoints: [0, 5, 10, 20], endStep: 10 },
  rl: { starts: [10, 'peak', 5], controlArms: ['ppoPlain'] },
};
/** As few stages as a study can have. */
const smallSettings: StudySettingsInput = { ...settings, rl: { starts: [10], controlArms: [] } };

/** Long enough to be caught in the first stage. */
const slow = { steps: 300, stepMs: 10, resumeEvery: 20 };

async function startStudy(client: EngineClient, chosen = smallSettings): Promise<Study> {
  const { id } = await client.call('studies.create', { settings: chosen });
  return client.call('studies.start', { id });
}

const finished = (client: EngineClient, id: string): Promise<Study> =>
  until(
    () => client.call('studies.get', { id }),
    ({ state }) => state !== 'running',
    40_000,
  );

/** The first stage is through: enough to see that a study goes on. */
const firstStageDone = (client: EngineClient, id: string): Promise<Study> =>
  until(
    () => client.call('studies.get', { id }),
    ({ stages }) => stages[0]!.state === 'succeeded',
  );

/** What must not depend on when something was killed. */
function numbers(result: StudyResult): unknown {
  return { seeds: result.seeds, across: result.across, words: result.words, complete: result.complete };
}

function eventCounts(dataFolder: string): { rows: number; distinct: number; lines: number } {
  const database = new Sqlite(join(dataFolder, 'rotascope.sqlite'), { readonly: true });
  const rows = database.prepare('select jobId, seq from events').all() as { jobId: string; seq: number }[];
  const jobs = database.prepare('select id from jobs').all() as { id: string }[];
  database.close();
  const lines = jobs.flatMap(({ id }) =>
    readFileSync(join(dataFolder, 'jobs', id, 'events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n'),
  );
  return {
    rows: rows.length,
    distinct: new Set(rows.map(({ jobId, seq }) => `${jobId} ${seq}`)).size,
    lines: lines.length,
  };
}

async function undisturbedResult(): Promise<unknown> {
  const engine = await startEngineProcess(await temporaryFolder());
  const client = await connect(engine.listening);
  const { id } = await startStudy(client);
  await finished(client, id);
  return numbers(await client.call('studies.result', { id }));
}

test(
  'a study runs to its end: stages in order, result, metrics, checkpoints, pushes',
  { timeout: 60_000 },
  async () => {
    const dataFolder = await temporaryFolder();
    const engine = await startEngineProcess(dataFolder);
    const events: EngineEvent[] = [];
    const client = await connect(engine.listening, (batch) => events.push(...batch));
    const { id } = await startStudy(client, settings);
    const study = await finished(client, id);
    expect(study).toMatchObject({ state: 'succeeded', progress: 1, remainingMs: null });
    expect(study.stages.every(({ state }) => state === 'succeeded')).toBe(true);
    const jobs = await client.call('jobs.list', {});
    const byStage = new Map(jobs.map((job) => [job.stageId, job]));
    for (const { id: stageId, dependsOn } of study.stages)
      for (const before of dependsOn) {
        const [job, earlier] = [byStage.get(stageId), byStage.get(before)];
        if (job && earlier) expect(job.startedAtMs).toBeGreaterThanOrEqual(earlier.endedAtMs!);
      }
    // The peak is step 5, which has a run of its own: its stage needs no job.
    expect(study.stages.find(({ id: stageId }) => stageId.endsWith('ppoAnchor-peak'))).toMatchObject({ jobId: null });
    const result = await client.call('studies.result', { id });
    expect(result).toMatchObject({ complete: true, words: ['The peak is at step 5.'] });
    expect(result.seeds[0]!.sft.map(({ step }) => step)).toEqual([0, 5, 10, 20]);
    expect(result.seeds[0]!.rl.map(({ arm, startStep }) => `${arm} ${startStep}`)).toEqual([
      'ppoAnchor 10',
      'ppoPlain 10',
      'ppoAnchor 5',
    ]);
    expect(result.seeds[0]).toMatchObject({ peakStep: 5, endStep: 10, ablations: [{ edit: 'singularValues' }] });
    const metrics = await client.call('studies.metrics', { id });
    expect(metrics.rows).toHaveLength(10);
    expect((await client.call('studies.metrics', { id, afterRevision: metrics.revision })).rows).toEqual([]);
    const checkpoints = await until(
      () => client.call('checkpoints.list', {}),
      (rows) => rows.length === 11 && rows.every(({ contentHash }) => contentHash !== null),
    );
    expect(checkpoints.map(({ name }) => name)).toContain('SFT on ID data · seed 0 · step 5');
    // The base is what SFT started from and what a reversion of it goes back to.
    const base = checkpoints.find(({ name }) => name === 'Base · seed 0')!;
    expect(base).toMatchObject({ trajectory: null, parentId: null, referenceId: null });
    const run = (title: string) =>
      checkpoints.filter(({ trajectory }) => trajectory === `${study.name} · ${title} · seed 0`);
    const sft = run('SFT on ID data');
    expect(sft.map(({ step }) => step).sort((a, b) => a! - b!)).toEqual([0, 5, 10, 20]);
    for (const one of sft) expect(one).toMatchObject({ parentId: base.id, referenceId: base.id });
    // Of an RL run the best one, which is known at its end, and the last; its start is SFT_End.
    const end = sft.find(({ step }) => step === 10)!;
    for (const arm of ['PPO + KL anchor to base', 'plain PPO']) {
      const rl = run(`RL, ${arm}, from SFT_End (step 10)`);
      expect(rl.map(({ step }) => step).sort()).toEqual([1, 2]);
      for (const one of rl) expect(one).toMatchObject({ parentId: end.id, referenceId: end.id });
    }
    expect(events.filter(({ type }) => type === 'study').length).toBeGreaterThan(3);
    expect(events.some((event) => event.type === 'job' && event.job.state === 'succeeded')).toBe(true);
    // The same request is answered with the finished study; nothing starts again.
    expect(await client.call('studies.create', { settings })).toMatchObject({ id, state: 'succeeded' });
    expect((await client.call('studies.start', { id })).state).toBe('succeeded');
    expect(eventCounts(dataFolder)).toMatchObject({ rows: eventCounts(dataFolder).lines });
  },
);

test('a failed stage stops what depends on it; resumed, the study goes on', { timeout: 60_000 }, async () => {
  const dataFolder = await temporaryFolder();
  const first = await startEngineProcess(dataFolder, { failAtStep: 3 });
  let client = await connect(first.listening);
  const { id } = await startStudy(client);
  const failed = await finished(client, id);
  expect(failed.state).toBe('failed');
  expect(failed.stages.map(({ state }) => state)).toEqual([
    'failed',
    ...Array(failed.stages.length - 1).fill('waiting'),
  ]);
  first.process.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const second = await startEngineProcess(dataFolder);
  client = await connect(second.listening);
  await client.call('studies.resume', { id });
  expect((await firstStageDone(client, id)).state).toBe('running');
});

test(
  'a worker killed again and again is started again and ends with the same numbers',
  { timeout: 60_000 },
  async () => {
    const reference = await undisturbedResult();
    const engine = await startEngineProcess(await temporaryFolder(), { crashAtStep: 7, crashes: 1 });
    const client = await connect(engine.listening);
    const { id } = await startStudy(client);
    expect((await finished(client, id)).state).toBe('succeeded');
    expect(numbers(await client.call('studies.result', { id }))).toEqual(reference);
    const jobs = await client.call('jobs.list', {});
    expect(jobs.find(({ kind }) => kind === 'pretrain')).toMatchObject({ attempt: 2, state: 'succeeded' });
  },
);

test('a worker that dies at the same place is not started for ever', { timeout: 60_000 }, async () => {
  const engine = await startEngineProcess(await temporaryFolder(), { crashAtStep: 3, crashes: 99 });
  const client = await connect(engine.listening);
  const { id } = await startStudy(client);
  const study = await finished(client, id);
  expect(study.state).toBe('interrupted');
  const job = await client.call('jobs.get', { id: study.stages[0]!.jobId! });
  expect(job).toMatchObject({ state: 'interrupted', attempt: 3, error: { code: 'WORKER_CRASHED' } });
  expect((await client.call('jobs.log', { id: job.id })).text).toContain('attempt 3');
});

test(
  'a killed engine: the next one goes on by itself, and nothing is lost or doubled',
  { timeout: 90_000 },
  async () => {
    const dataFolder = await temporaryFolder();
    let engine = await startEngineProcess(dataFolder, slow);
    let client = await connect(engine.listening);
    const { id } = await startStudy(client);
    const { listening } = engine;
    let seen = 0;
    for (let kills = 0; kills < 3; kills++) {
      const job = await until(
        async () => (await client.call('jobs.list', {}))[0],
        (one: Job | undefined) => one !== undefined && one.state === 'running' && one.lastSeq > seen + 60,
      );
      seen = job!.lastSeq;
      engine.process.kill('SIGKILL');
      await engine.ended;
      engine = await startEngineProcess(dataFolder, slow);
      expect(engine.listening).toMatchObject({ port: listening.port, token: listening.token });
      client = await connect(engine.listening);
    }
    expect((await client.call('app.state', {})).notices.length).toBe(3);
    expect((await finished(client, id)).state).toBe('succeeded');
    const pretrain = (await client.call('jobs.list', {})).find(({ kind }) => kind === 'pretrain')!;
    expect(pretrain.attempt).toBe(4);
    const { rows } = await client.call('studies.metrics', { id });
    expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    const counts = eventCounts(dataFolder);
    expect(counts.distinct).toBe(counts.rows);
    expect(counts.lines).toBe(counts.rows);
  },
);

test('a worker ends by itself when its engine is gone', async () => {
  const dataFolder = await temporaryFolder();
  const engine = await startEngineProcess(dataFolder, { ...slow, hangAtStep: 20 });
  const client = await connect(engine.listening);
  const study = await startStudy(client);
  const jobId = study.stages[0]!.jobId!;
  await until(
    () => client.call('jobs.get', { id: jobId }),
    ({ lastSeq }) => lastSeq >= 20,
  );
  const { pid } = JSON.parse(readFileSync(join(dataFolder, 'jobs', jobId, 'worker.json'), 'utf8')) as { pid: number };
  const isRunning = (): boolean => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  expect(isRunning()).toBe(true);
  engine.process.kill('SIGKILL');
  await engine.ended;
  // Deaf in an endless loop: only its watchdog can end it.
  await until(isRunning, (running) => !running, 10_000);
});

test(
  'a stop in order leaves the study interrupted, and the next start waits for the user',
  { timeout: 60_000 },
  async () => {
    const dataFolder = await temporaryFolder();
    const first = await startEngineProcess(dataFolder, slow);
    let client = await connect(first.listening);
    const { id, stages } = await startStudy(client);
    await until(
      () => client.call('jobs.get', { id: stages[0]!.jobId! }),
      ({ lastSeq }) => lastSeq > 30,
    );
    // The shell that holds its input goes: the same as SIGTERM.
    first.process.stdin!.end();
    expect(await first.ended).toBe(0);
    const second = await startEngineProcess(dataFolder);
    client = await connect(second.listening);
    const waiting = await client.call('studies.get', { id });
    expect(waiting.state).toBe('interrupted');
    expect(waiting.stages[0]!.state).toBe('interrupted');
    expect((await client.call('app.state', {})).notices).toEqual([]);
    await client.call('studies.resume', { id });
    expect((await finished(client, id)).state).toBe('succeeded');
  },
);

test('a cancelled study stops at once and can be resumed', { timeout: 60_000 }, async () => {
  const engine = await startEngineProcess(await temporaryFolder(), slow);
  const client = await connect(engine.listening);
  const { id, stages } = await startStudy(client);
  await until(
    () => client.call('jobs.get', { id: stages[0]!.jobId! }),
    ({ state }) => state === 'running',
  );
  expect((await client.call('studies.cancel', { id })).state).toBe('cancelled');
  const job = await until(
    () => client.call('jobs.get', { id: stages[0]!.jobId! }),
    ({ state }) => state !== 'running',
  );
  expect(job.state).toBe('cancelled');
  expect((await client.call('studies.resume', { id })).state).toBe('running');
  await firstStageDone(client, id);
});

test(
  'a rerun stage runs again with all that depend on it, to the same numbers; what comes before stays',
  { timeout: 90_000 },
  async () => {
    const dataFolder = await temporaryFolder();
    const engine = await startEngineProcess(dataFolder);
    const client = await connect(engine.listening);
    const { id } = await startStudy(client);
    const before = await finished(client, id);
    const numbersBefore = numbers(await client.call('studies.result', { id }));
    const rowsBefore = (await client.call('studies.metrics', { id })).rows;
    const stageId = before.stages.find(({ kind }) => kind === 'sft')!.id;
    await client.call('studies.rerun', { id, stageId });
    await expect(client.call('studies.rerun', { id, stageId })).rejects.toMatchObject({ code: 'CONFLICT' });
    const after = await finished(client, id);
    expect(after.state).toBe('succeeded');
    const kept = after.stages.filter((stage, i) => stage.jobId === before.stages[i]!.jobId).map(({ kind }) => kind);
    expect(kept).toEqual(['pretrain']);
    expect(numbers(await client.call('studies.result', { id }))).toEqual(numbersBefore);
    // Of the new runs only, and of each step once.
    expect((await client.call('studies.metrics', { id })).rows).toEqual(rowsBefore);
    const runs = await client.call('runs.list', {});
    expect(runs.filter(({ kind }) => kind === 'sft').map(({ stageId: of }) => of)).toEqual([stageId, null]);
    await expect(client.call('studies.rerun', { id, stageId: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // The former jobs are no stages any more, also after a crash.
    engine.process.kill('SIGKILL');
    await engine.ended;
    const second = await startEngineProcess(dataFolder);
    const again = await connect(second.listening);
    expect((await again.call('studies.get', { id })).stages).toEqual(after.stages);
  },
);

test(
  'runs: listed with what they logged, drawn, noted, tagged, removed and restored',
  { timeout: 60_000 },
  async () => {
    const engine = await startEngineProcess(await temporaryFolder());
    const client = await connect(engine.listening);
    const { id } = await startStudy(client);
    await finished(client, id);
    const runs = await client.call('runs.list', {});
    expect(runs.map(({ kind }) => kind).sort()).toEqual(['pretrain', 'rl', 'sft']);
    const sft = runs.find(({ kind }) => kind === 'sft')!;
    const ids = [sft.id];
    const { rows } = await client.call('studies.metrics', { id });
    const pretrain = runs.find(({ kind }) => kind === 'pretrain')!;
    const logged = rows.filter(({ stageId }) => stageId === pretrain.stageId);
    const [metric] = Object.keys(logged[0]!.values);
    const [curve] = await client.call('runs.curves', { ids: [pretrain.id], metric: metric! });
    expect(curve!.steps).toEqual(logged.map(({ step }) => step));
    expect(curve!.values).toEqual(logged.map(({ values }) => values[metric!]));
    expect(pretrain.last[metric!]).toBe(curve!.values.at(-1));
    const accuracies = (await client.call('studies.result', { id })).seeds[0]!.sft.map(
      ({ evaluation: { ood } }) => ood.correct / ood.n,
    );
    expect((await client.call('runs.curves', { ids, metric: 'oodAccuracy' }))[0]!.values).toEqual(accuracies);
    expect(sft.peakOod!.value).toBe(Math.max(...accuracies));
    expect(await client.call('runs.metrics', { ids: [pretrain.id, sft.id] })).toEqual(
      expect.arrayContaining([metric, 'oodAccuracy']),
    );
    const { settings: own } = (await client.call('runs.settings', { ids }))[0]!;
    expect(own).toMatchObject({ stage: 'sft', seed: 0, 'sft.endStep': 10, 'model.hiddenSize': 64 });
    expect(own).not.toHaveProperty('outputFolder');
    await client.call('runs.update', { ids, note: 'A note', addTags: ['b', 'a', 'b'] });
    await client.call('runs.update', { ids, removeTags: ['b', 'none'] });
    const noted = (await client.call('runs.list', {})).find((run) => run.id === sft.id);
    expect(noted).toEqual({ ...sft, note: 'A note', tags: ['a'] });
    await client.call('runs.remove', { ids });
    expect((await client.call('runs.list', {})).map((run) => run.id)).not.toContain(sft.id);
    expect(await client.call('runs.list', { trash: true })).toEqual([noted]);
    await client.call('runs.restore', { ids });
    expect(await client.call('runs.list', {})).toEqual(runs.map((run) => (run.id === sft.id ? noted : run)));
    const analyse = (await client.call('jobs.list', {})).find(({ kind }) => kind === 'analyse')!;
    await expect(client.call('runs.remove', { ids: [analyse.id] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  },
);
