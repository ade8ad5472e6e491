/**
 * A study that starts from a checkpoint, whole: SFT and RL of a tiny random model on a task in text, through a real engine
 * and real workers; what it leaves (answers, checkpoints, words), what is refused before it starts, and that workers
 * killed (SIGKILL) in the middle of SFT and of RL change no number.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { cp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { Study } from '../../main/contract/api.ts';
import { answerSampleSchema } from '../../main/contract/samples.ts';
import { studySettingsSchema, type StudySettingsInput } from '../../main/contract/settings.ts';
import { studyResultSchema, type SeedResult } from '../../main/contract/studyResult.ts';
import { sftExamples, sftLine } from '../../main/ml/tasks/sftData.ts';
import { openTextTask } from '../../main/ml/tasks/textTasks.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const base = fileURLToPath(new URL('../fixtures/tiny-qwen2', import.meta.url));
const timeout = 600_000;
const episodes = 4;

const tiny = {
  preset: 'paper',
  seeds: [3],
  base: { folder: base },
  task: {
    name: 'determinant',
    evaluationEpisodes: episodes,
    text: { maxNewTokens: 8, samples: 2, massEpisodes: 1 },
  },
  sft: {
    ...{ examples: 8, batchSize: 4, steps: 6, endStep: 6, checkpoints: [0, 2, 4, 6] },
    ...{ learningRate: 1e-3, schedule: 'cosineWithWarmup', warmupSteps: 1 },
    text: { microBatchSize: 2 },
  },
  rl: {
    starts: [],
    controlArms: ['ppoAnchor'],
    text: {
      ...{ iterations: 3, rolloutSize: 4, minibatchSize: 4, microBatchSize: 2, updateEpochs: 1, learningRate: 1e-3 },
      ...{ dialogueAttempts: 2, maxNewTokens: 6, evaluateEvery: 3 },
    },
  },
  disk: { keep: 'named' },
} satisfies StudySettingsInput;

interface Lab {
  data: string;
  client: EngineClient;
}

/** @param folder the checkpoint to start from, which is imported and hashed */
async function openLab(folder = base): Promise<Lab> {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data, {}, { ...process.env, NODE_ENV: 'test' });
  const client = await connect(engine.listening);
  const [verdict] = await client.call('checkpoints.import', { paths: [folder] });
  await until(
    () => client.call('checkpoints.get', { id: verdict!.checkpointId! }),
    ({ contentHash }) => contentHash !== null,
  );
  return { data, client };
}

async function start({ client }: Lab, settings: StudySettingsInput): Promise<Study> {
  const study = await client.call('studies.create', { settings: studySettingsSchema.parse(settings) });
  return client.call('studies.start', { id: study.id });
}

const isDone = ({ state }: Study): boolean => state !== 'running';
const settled = ({ client }: Lab, id: string): Promise<Study> =>
  until(() => client.call('studies.get', { id }), isDone, timeout);

interface Ended {
  study: Study;
  seed: SeedResult;
  words: string[];
  /** Content of every checkpoint that the study wrote, by its place in the study. */
  contents: Map<string, string>;
  /** Stable rank and rotation by layer, of every checkpoint of SFT. */
  spectra: [step: number, Record<string, number>][];
}

async function ended(lab: Lab, id: string): Promise<Ended> {
  const study = await settled(lab, id);
  for (const { jobId, state } of study.stages)
    if (state === 'failed' && jobId) console.error((await lab.client.call('jobs.get', { id: jobId })).error);
  expect(study.state).toBe('succeeded');
  const result = studyResultSchema.parse(await lab.client.call('studies.result', { id }));
  const written = await until(
    async () => (await lab.client.call('checkpoints.list', {})).filter(({ studyId }) => studyId === id),
    (rows) => rows.length >= 3 && rows.every(({ contentHash }) => contentHash !== null),
  );
  const contents = new Map(written.map(({ folder, contentHash }) => [folder.split(`${id}/`)[1]!, contentHash!]));
  return { study, seed: result.seeds[0]!, words: result.words, contents, spectra: await spectraOf(lab, id) };
}

/** Mean losses of the model that SFT has ended with, in memory, and of the one that RL has read from its checkpoint. */
function lossesAtTheSeam({ sft, rl }: SeedResult): { trained: number[]; saved: number[] } {
  const losses = ({ inDist, ood }: SeedResult['sft'][number]['evaluation']): number[] => [inDist.loss, ood.loss];
  return { trained: losses(sft.at(-1)!.evaluation), saved: losses(rl[0]!.checkpoints[0]!.evaluation) };
}

async function spectraOf({ client }: Lab, id: string): Promise<Ended['spectra']> {
  const { rows } = await client.call('studies.metrics', { id });
  return rows
    .filter(({ stageId }) => stageId === 'seed-3.sft')
    .sort((a, b) => a.step - b.step)
    .flatMap(({ step, values }): Ended['spectra'] => {
      const own = Object.entries(values).filter(([name]) => /^(?:stableRank|rotationRad)Layer/.test(name));
      return own.length > 0 ? [[step, Object.fromEntries(own)]] : [];
    });
}

let reference: Pick<Ended, 'seed' | 'contents' | 'spectra'> | null = null;

const stageOf = ({ stages }: Study, kind: string) => stages.find((stage) => stage.kind === kind)!;

describe.skipIf(process.platform !== 'linux')('a study that starts from a checkpoint', () => {
  test('runs whole, keeps what it was asked to keep, and every answer can be read', { timeout }, async () => {
    const lab = await openLab();
    const { client } = lab;
    const estimate = await client.call('studies.estimate', studySettingsSchema.parse(tiny));
    expect(estimate).toMatchObject({ problems: [], jobs: 5 });
    expect(estimate.memoryBytes).toBeGreaterThan(0);
    const done = await ended(lab, (await start(lab, tiny)).id);
    const { study, seed, words, contents, spectra } = done;
    reference = done;
    expect(study.settings.base).toMatchObject({ folder: base, name: 'tiny-qwen2' });
    expect(study.settings.base!.contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(study.stages.map(({ kind }) => kind)).toEqual(['sft', 'rl', 'rl', 'analyse', 'analyse']);
    expect(words.length).toBeGreaterThan(3);

    expect(seed.sft.map(({ step }) => step)).toEqual([0, 2, 4, 6]);
    expect(seed.mainArm).toBe('ppoPlain');
    expect(seed.rl.map(({ arm, startStep }) => [arm, startStep])).toEqual([
      ['ppoPlain', 6],
      ['ppoAnchor', 6],
    ]);
    expect(seed.trainingData).toMatchObject({ file: null, examples: 8, epochs: 3, badLines: 0 });
    expect(seed.trainingData!.overlap.inDist).toMatchObject({ episodes, sharedPrompts: 0, trainingPrompts: 8 });
    expect(spectra.map(([step]) => step)).toEqual([0, 2, 4, 6]);
    expect(Object.keys(spectra[0]![1]).sort()).toEqual(['rotationRadLayer0', 'rotationRadLayer1', 'stableRankLayer0', 'stableRankLayer1']); // prettier-ignore
    expect(spectra[0]![1]['rotationRadLayer0']).toBeLessThan(1e-5);
    expect(spectra[3]![1]['rotationRadLayer0']).toBeGreaterThan(1e-3);
    const scratch = readdirSync(join(lab.data, 'jobs', stageOf(study, 'sft').jobId!));
    expect(scratch).not.toContain('start-spectra');

    const last = seed.sft.at(-1)!.evaluation;
    expect(last.text).toMatchObject({ attempts: 1, maxNewTokens: 8 });
    expect(last.inDist.answers).toMatchObject({ mass: { positions: 1 }, overlap: { prompts: 0, multisets: 0 } });
    expect(last.inDist.loss).toBeLessThan(seed.sft[0]!.evaluation.inDist.loss);
    expect(last.trainLoss).toBeGreaterThan(0);

    // The peak of a model that is never right is the base itself: step 0, which is not copied.
    const folders = [...contents.keys()].sort();
    expect(folders).toEqual(['seed-3/rl-ppoAnchor-6/step-000003', 'seed-3/rl-ppoPlain-6/step-000003', 'seed-3/sft/step-000006']); // prettier-ignore
    expect(new Set(contents.values()).size).toBe(3);
    // In the type of the base, bfloat16, what SFT has learned is rounded.
    const seam = lossesAtTheSeam(seed);
    expect(seam.saved).not.toEqual(seam.trained);
    const written = join(lab.data, 'studies', study.id);
    for (const folder of folders) {
      const [row] = (await client.call('checkpoints.list', {})).filter((one) => one.folder === join(written, folder));
      expect(row).toMatchObject({ hasTokenizer: true, modelType: 'qwen2' });
    }
    expect(readdirSync(join(written, 'seed-3', 'sft'))).toEqual(['step-000006']);

    const jobId = stageOf(study, 'sft').jobId!;
    expect(await client.call('samples.steps', { jobId })).toEqual({ steps: [0, 2, 4, 6] });
    const read = (query: object) => client.call('samples.read', { jobId, at: 6, split: 'inDist', ...query });
    const all = await read({});
    expect(all.total).toBe(episodes);
    for (const sample of all.samples) answerSampleSchema.parse(sample);
    expect(all.samples.filter(({ correct }) => correct)).toHaveLength(last.inDist.correct);
    expect((await read({ filter: 'right' })).total).toBe(last.inDist.correct);
    expect((await read({ filter: 'wrong' })).total).toBe(episodes - last.inDist.correct);
    expect((await read({ offset: 3, limit: 2 })).samples).toEqual(all.samples.slice(3));
    expect((await read({ kind: 'passAtK' })).total).toBe(2 * episodes);
    await expect(read({ at: 3 })).rejects.toThrow(/No answers were kept/);

    // The checkpoints of the study can be asked the same task on the page Ablations.
    const ids = await client.call('sweeps.studyCheckpoints', { studyId: study.id, seed: 3 });
    expect(Object.values(ids).every((id) => id !== null)).toBe(true);
    const sweep = {
      name: 'Between',
      pairs: [{ targetId: ids.rlEnd!, referenceId: ids.end! }],
      settings: { sweep: { kind: 'interpolation' as const, alphas: [0.5] }, task: { ...tiny.task } },
    };
    expect(await client.call('sweeps.plan', sweep)).toMatchObject({ notEvaluated: null });
    const { id } = await client.call('sweeps.start', sweep);
    const swept = await until(
      () => client.call('sweeps.get', { id }),
      ({ state }) => state !== 'queued' && state !== 'running',
      timeout,
    );
    expect(swept.state).toBe('succeeded');
    expect(swept.points.map(({ evaluation }) => evaluation?.text?.maxNewTokens)).toEqual([8, 8, 8]);
  });

  test(
    'its workers killed in SFT and in RL, it ends with the same numbers and the same weights',
    { timeout },
    async () => {
      expect(reference).not.toBeNull();
      const lab = await openLab();
      const { id } = await start(lab, tiny);
      const killed: string[] = [];
      await until(
        async () => {
          for (const kind of ['sft', 'rl'])
            if (!killed.includes(kind) && killAfterResumePoint(lab, kind)) killed.push(kind);
          return lab.client.call('studies.get', { id });
        },
        isDone,
        timeout,
      );
      expect(killed).toEqual(['sft', 'rl']);
      const { study, seed, contents, spectra } = await ended(lab, id);
      const jobs = await Promise.all(
        ['sft', 'rl'].map((kind) => lab.client.call('jobs.get', { id: stageOf(study, kind).jobId! })),
      );
      expect(jobs.map(({ attempt }) => attempt)).toEqual([2, 2]);
      expect(seed).toEqual(reference!.seed);
      expect(contents).toEqual(reference!.contents);
      expect(spectra).toEqual(reference!.spectra);
    },
  );

  test(
    'saved as F32, RL goes on from exactly what SFT has ended with, and every checkpoint of either stays',
    { timeout },
    async () => {
      const lab = await openLab();
      const rl = { ...tiny.rl, controlArms: [], text: { ...tiny.rl.text, iterations: 2, evaluateEvery: 1 } };
      const settings = { ...tiny, rl, disk: { keep: 'all' as const, dtype: 'F32' as const } };
      const estimated = async (dtype: 'same' | 'F32'): Promise<number> => {
        const asked = studySettingsSchema.parse({ ...settings, disk: { keep: 'all', dtype } });
        return (await lab.client.call('studies.estimate', asked)).diskBytes;
      };
      const { id } = await start(lab, settings);
      const { seed, contents } = await ended(lab, id);
      const seam = lossesAtTheSeam(seed);
      expect(seam.saved).toEqual(seam.trained);
      const steps = (run: string, of: number[]): string[] => of.map((step) => `seed-3/${run}/step-00000${step}`);
      expect([...contents.keys()].sort()).toEqual([...steps('rl-ppoPlain-6', [1, 2]), ...steps('sft', [2, 4, 6])]);
      const rows = (await lab.client.call('checkpoints.list', {})).filter(({ studyId }) => studyId === id);
      for (const row of rows) expect(row).toMatchObject({ dtypes: ['F32'], hasTokenizer: true, modelType: 'qwen2' });
      expect(rows.filter(({ trajectory }) => trajectory?.includes('RL, plain PPO')).map(({ step }) => step).sort()).toEqual([1, 2]); // prettier-ignore
      // Five checkpoints, each as many bytes more as it has parameters twice, but for the files' headers.
      const [{ parameters, bytes }] = rows as [(typeof rows)[0]];
      expect(bytes / (4 * parameters)).toBeCloseTo(1, 1);
      expect(((await estimated('F32')) - (await estimated('same'))) / (5 * 2 * parameters)).toBeCloseTo(1, 1);
    },
  );

  test('what cannot be done is refused before it starts, with the numbers', { timeout }, async () => {
    const lab = await openLab();
    const refused = (settings: object) => start(lab, { ...tiny, ...settings });
    await expect(refused({ base: { folder: '/nowhere' } })).rejects.toThrow(/not among the checkpoints/);
    const budget = { ...tiny, disk: { keep: 'all' as const, budgetGB: 1e-6 } };
    const { problems } = await lab.client.call('studies.estimate', studySettingsSchema.parse(budget));
    expect(problems.join()).toMatch(/writes about [\d.]+ GB; its budget is 0\.00 GB\. Keep the named/);
    await expect(refused(budget)).rejects.toMatchObject({ code: 'DISK_FULL' });

    // Memory is asked for by the stage, which knows every prompt: a batch far too large fails with one that fits.
    const rows = 100_000;
    const large = { sft: { ...tiny.sft, batchSize: rows, examples: rows, text: { microBatchSize: rows } } };
    const study = await settled(lab, (await refused(large)).id);
    const { error } = await lab.client.call('jobs.get', { id: stageOf(study, 'sft').jobId! });
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', hint: expect.stringMatching(/set sft\.text\.microBatchSize to \d+/) as string }); // prettier-ignore
  });

  test(
    'a base that cannot be spoken to is refused when the study is submitted, with the next step',
    { timeout },
    async () => {
      const folder = join(await temporaryFolder(), 'base');
      await cp(base, folder, { recursive: true });
      const lab = await openLab(folder);
      const { client } = lab;
      const settings = studySettingsSchema.parse({ ...tiny, base: { folder } });
      const problems = async (): Promise<string> => (await client.call('studies.estimate', settings)).problems.join();
      const file = (name: string): string => join(folder, name);
      const [template, tokenizer] = [file('chat_template.jinja'), file('tokenizer.json')];
      const draft = await client.call('studies.create', { settings });
      expect(await problems()).toBe('');

      await rename(template, `${template}.away`);
      const noTemplate = '"base" has no chat template, and the task is asked in text.';
      expect(await problems()).toBe(
        `${noTemplate} Copy chat_template.jinja of the instruction-tuned model into its folder.`,
      );
      const incomplete = { code: 'CHECKPOINT_INCOMPLETE', message: noTemplate };
      await expect(client.call('studies.create', { settings, new: true })).rejects.toMatchObject(incomplete);
      await expect(client.call('studies.start', { id: draft.id })).rejects.toMatchObject(incomplete);
      expect((await client.call('studies.get', { id: draft.id })).state).toBe('draft');
      await writeFile(template, "{% if messages|length > 1 %}{{ raise_exception('One turn only') }}{% endif %}");
      expect(await problems()).toMatch(/^The chat template refuses these messages: One turn only\. /);
      await writeFile(template, '{% if %}');
      expect(await problems()).toMatch(/^The chat template cannot be read: /);

      // Put right, it can be started from: what counts is what the folder holds now.
      await rename(`${template}.away`, template);
      await rename(tokenizer, `${tokenizer}.away`);
      expect(await problems()).toMatch(
        /^"base" has no tokenizer, and the task is asked in text\. Copy tokenizer\.json/,
      );
      await rename(`${tokenizer}.away`, tokenizer);
      expect(await problems()).toBe('');
    },
  );

  test(
    'imported data: bad lines are named and left out, and what they share with the held-out set is counted',
    { timeout },
    async () => {
      const lab = await openLab();
      const dataFile = join(lab.data, 'data.jsonl');
      const task = openTextTask({ name: 'determinant' });
      const lines = sftExamples(task, 'inDist', 6, 1).map((example) => sftLine(example, { task: task.name, split: 'inDist' })); // prettier-ignore
      const [heldOut] = task.heldOutEpisodes('inDist', episodes, 999);
      const leaked = sftLine(task.examples(heldOut!)[0]!, { task: task.name, split: 'inDist' });
      await writeFile(dataFile, [...lines, 'no JSON\n', leaked].join(''));
      const checked = await lab.client.call('sftData.check', { path: dataFile });
      expect(checked).toMatchObject({ examples: 7, badLines: 1, errors: [{ line: 7 }], ignoredLines: 0 });
      const sft = { ...tiny.sft, steps: 1, endStep: 1, checkpoints: [0, 1], text: { dataFile, microBatchSize: 2 } };
      const { id } = await start(lab, { ...tiny, sft });
      const trained = await until(
        () => lab.client.call('studies.get', { id }),
        (study) => stageOf(study, 'sft').state !== 'running' && stageOf(study, 'sft').state !== 'queued',
        timeout,
      );
      expect(stageOf(trained, 'sft').state).toBe('succeeded');
      await lab.client.call('studies.cancel', { id });
      const result = studyResultSchema.parse(await lab.client.call('studies.result', { id }));
      const { trainingData, sft: curve } = result.seeds[0]!;
      expect(trainingData).toMatchObject({ file: dataFile, examples: 7, badLines: 1 });
      expect(trainingData!.overlap.inDist).toMatchObject({ sharedMultisets: 1, sharedPrompts: 1 });
      expect(curve[0]!.evaluation.inDist.answers!.overlap).toEqual({ multisets: 1, prompts: 1 });
      const { text } = await lab.client.call('jobs.log', { id: stageOf(trained, 'sft').jobId! });
      expect(text).toContain('line 7: The line is not JSON');
    },
  );
});

/** @returns whether a running job of this kind has written its first resume state, and was killed then */
function killAfterResumePoint({ data }: Lab, kind: string): boolean {
  const jobs = join(data, 'jobs');
  for (const job of readdirSync(jobs)) {
    const file = (name: string): string => join(jobs, job, name);
    if (!existsSync(file('events.jsonl')) || !existsSync(file('worker.json'))) continue;
    const request = JSON.parse(readFileSync(file('request.json'), 'utf8')) as { kind: string };
    const events = readFileSync(file('events.jsonl'), 'utf8');
    if (request.kind !== kind || !events.includes('"resumePoint"') || events.includes('"succeeded"')) continue;
    const { pid } = JSON.parse(readFileSync(file('worker.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    return true;
  }
  return false;
}
