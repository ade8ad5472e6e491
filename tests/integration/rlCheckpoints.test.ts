/**
 * Which checkpoints an RL run leaves: real workers from SFT_End of the sample study, whole, killed (SIGKILL) in the middle, and
 * keeping all. The best one is known only when a later one is worse.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { WorkerEvent } from '../../main/contract/events.ts';
import { rlRequestSchema, stageOutputSchemas } from '../../main/contract/requests.ts';
import { studySettingsSchema } from '../../main/contract/settings.ts';
import { WorkerProcess } from '../../main/jobs/workerProcess.ts';
import { openCheckpoint } from '../../main/ml/checkpoints/openCheckpoint.ts';
import { peakOf } from '../../main/ml/statistics/detectors.ts';
import { accuracyOf } from '../../main/ml/statistics/studyFacts.ts';
import { temporaryFolder, until } from './engineProcess.ts';

const sample = fileURLToPath(new URL('../../resources/sample-study/checkpoints/', import.meta.url));
const start = join(sample, 'seed-0-end');
const timeout = 120_000;
const iterations = 16;
const { task, rl } = studySettingsSchema.parse({
  task: { evaluationEpisodes: 200 },
  rl: { iterations, evaluateEvery: 2, criticWarmupIterations: 1, rolloutSize: 64, minibatchSize: 64 },
});

function prepare(folder: string, keep: number[] | null): void {
  const [base, outputFolder] = [join(sample, 'seed-0-base'), join(folder, 'out')];
  const run = { seed: 1, task, rl, arm: 'ppoAnchor' as const, startStep: 200, start, base, outputFolder, keep };
  const file = { jobId: 'rl', kind: 'rl', title: 'RL', attempt: 1, seed: 1, threads: 1, lastSeq: 0, versions: {} };
  mkdirSync(join(folder, 'job'));
  writeFileSync(join(folder, 'job', 'request.json'), JSON.stringify({ ...file, request: rlRequestSchema.parse(run) }));
}

function eventsOf(folder: string): WorkerEvent[] {
  const file = join(folder, 'job', 'events.jsonl');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as WorkerEvent); // prettier-ignore
}

const silent = { onNudge: (): void => undefined, onUse: (): void => undefined };

/** @param killAt the first attempt is killed once it has said that it can be resumed here */
async function run(folder: string, keep: number[] | null, killAt?: number) {
  prepare(folder, keep);
  let worker = new WorkerProcess(join(folder, 'job'), silent);
  if (killAt !== undefined) {
    const isReached = (): boolean =>
      eventsOf(folder).some((event) => event.type === 'resumePoint' && event.step >= killAt);
    await until(isReached, Boolean, timeout);
    process.kill(worker.pid!, 'SIGKILL');
    expect((await worker.ended).signal).toBe('SIGKILL');
    worker = new WorkerProcess(join(folder, 'job'), silent);
  }
  expect((await worker.ended).code).toBe(0);
  const events = eventsOf(folder);
  const evaluations = new Map(events.flatMap((event) => (event.type === 'evaluation' ? [[event.step, event]] : [])));
  const { data } = events.at(-1) as { data?: unknown };
  const written = readdirSync(join(folder, 'out')).sort();
  const digest = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, 'out', name, 'model.safetensors')))
      .digest('hex');
  return {
    evaluations,
    output: stageOutputSchemas.rl.parse(data),
    weights: written.map((name) => [name, digest(name)]),
  };
}

type Ended = Awaited<ReturnType<typeof run>>;
const peakStep = ({ evaluations }: Ended): number =>
  peakOf([...evaluations].map(([step, { evaluation }]) => ({ step, ...accuracyOf(evaluation, 'ood', 'select') }))).step;

const nameOf = (step: number): string => `step-${String(step).padStart(6, '0')}`;

describe.skipIf(process.platform !== 'linux')('the checkpoints of an RL run', () => {
  test(
    'of the named ones the best OOD one and the last stay, and a kill changes none of them',
    { timeout },
    async () => {
      const folder = await temporaryFolder();
      const whole = await run(folder, [iterations]);
      const peak = peakStep(whole);
      console.log(
        peak,
        [...whole.evaluations].map(([s, e]) => [s, accuracyOf(e.evaluation, 'ood', 'select').correct]),
      );
      expect(peak).toBeGreaterThan(0);
      expect(whole.weights.map(([name]) => name)).toEqual([...new Set([nameOf(peak), nameOf(iterations)])]);
      expect(whole.output.folder).toBe(join(folder, 'out', nameOf(iterations)));
      expect(Object.keys(whole.output.checkpoints).map(Number)).toEqual([...new Set([peak, iterations])]);
      for (const one of Object.values(whole.output.checkpoints)) await (await openCheckpoint(one)).close();

      const killed = await run(await temporaryFolder(), [iterations], 5);
      expect(killed.weights).toEqual(whole.weights);
      expect(peakStep(killed)).toBe(peak);
    },
  );

  test('all that are evaluated stay, but for the start, which is there already', { timeout }, async () => {
    const { evaluations, output, weights } = await run(await temporaryFolder(), null);
    const steps = Array.from({ length: iterations / 2 }, (_, i) => 2 * (i + 1));
    expect([...evaluations.keys()]).toEqual([0, ...steps]);
    expect(weights.map(([name]) => name)).toEqual(steps.map(nameOf));
    expect(new Set(weights.map(([, digest]) => digest)).size).toBe(steps.length);
    expect(output.checkpoints['0']).toBe(start);
    expect([...evaluations.values()].map(({ folder = null }) => folder)).toEqual([null, ...steps.map((step) => output.checkpoints[step])]); // prettier-ignore
  });
});
