/** The points of a sweep on a task in text keep every answer: real engine, real workers, two tiny checkpoints. */
import { cp } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { CallInput } from '../../main/contract/api.ts';
import { answerSampleSchema, type AnswerSample } from '../../main/contract/samples.ts';
import type { SweepPointResult, SweepResult } from '../../main/contract/sweeps.ts';
import { openCheckpoint } from '../../main/ml/checkpoints/openCheckpoint.ts';
import { writeCheckpoint } from '../../main/ml/checkpoints/writeCheckpoint.ts';
import { Philox } from '../../main/ml/random/philox.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const target = fileURLToPath(new URL('../fixtures/tiny-qwen2', import.meta.url));
const timeout = 170_000;
const episodes = 4;
const task = { name: 'determinant' as const, evaluationEpisodes: episodes, text: { maxNewTokens: 8, attempts: 2 } };

/** The target with noise on every weight, and its tokenizer. */
async function writeReference(folder: string): Promise<void> {
  const checkpoint = await openCheckpoint(target);
  const weights = await checkpoint.readAll();
  for (const [name, { data }] of weights) {
    const noise = new Philox('reference', name).gaussians(data.length);
    data.forEach((w, i) => (data[i] = w * (1 + 0.2 * noise[i]!)));
  }
  await writeCheckpoint(folder, { config: checkpoint.config!, weights });
  await checkpoint.close();
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
    await cp(join(target, name), join(folder, name));
}

interface Lab {
  data: string;
  client: EngineClient;
  order(alphas: number[]): CallInput<'sweeps.start'>;
}

async function openLab(): Promise<Lab> {
  const data = await temporaryFolder();
  const reference = join(await temporaryFolder(), 'reference');
  await writeReference(reference);
  const engine = await startEngineProcess(data, {}, process.env);
  const client = await connect(engine.listening);
  const verdicts = await client.call('checkpoints.import', { paths: [target, reference] });
  const [targetId, referenceId] = verdicts.map(({ checkpointId }) => checkpointId!) as [string, string];
  const settingsOf = (alphas: number[]) => ({ sweep: { kind: 'interpolation' as const, alphas }, task });
  const order: Lab['order'] = (alphas) => ({
    name: 'Between',
    pairs: [{ targetId, referenceId }],
    settings: settingsOf(alphas),
  });
  return { data, client, order };
}

const settled = (client: EngineClient, id: string): Promise<SweepResult> =>
  until(
    () => client.call('sweeps.get', { id }),
    ({ state }) => state !== 'queued' && state !== 'running',
    timeout,
  );

const answersOf = async (client: EngineClient, { answers }: SweepPointResult): Promise<AnswerSample[]> =>
  (await client.call('samples.read', { ...answers!, split: 'ood', limit: 200 })).samples;

describe.skipIf(process.platform !== 'linux')('answers of the points of a sweep', () => {
  test(
    'are all kept, also of a killed sweep, and a later sweep that reuses a point finds them',
    { timeout },
    async () => {
      const { data, client, order } = await openLab();
      const plan = await client.call('sweeps.plan', order([0.3, 0.6]));
      expect(plan).toMatchObject({ points: 4, notEvaluated: null });
      // A counted and a forced answer of two attempts at most, for each episode of two splits.
      expect(plan.diskBytes).toBeGreaterThan(plan.points * 2 * episodes * 3 * 1000);

      const { id } = await client.call('sweeps.start', order([0.3, 0.6]));
      await until(
        () => client.call('sweeps.get', { id }),
        ({ done }) => done >= 1,
        timeout,
      );
      const { pid } = JSON.parse(readFileSync(join(data, 'jobs', id, 'worker.json'), 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
      expect((await settled(client, id)).state).toBe('interrupted');
      expect((await client.call('sweeps.start', order([0.3, 0.6]))).id).toBe(id);
      const first = await settled(client, id);
      expect(first.state).toBe('succeeded');
      expect(await client.call('jobs.get', { id })).toMatchObject({ attempt: 2 });
      expect(first.points).toHaveLength(4);
      const said = new Set<string>();
      for (const point of first.points) {
        expect(point.answers).toMatchObject({ jobId: id });
        const answers = await answersOf(client, point);
        for (const answer of answers) answerSampleSchema.parse(answer);
        expect(new Set(answers.map(({ episode }) => episode)).size).toBe(episodes);
        const solved = new Set(answers.filter(({ correct }) => correct).map(({ episode }) => episode));
        expect(solved.size).toBe(point.evaluation!.ood.correct);
        said.add(JSON.stringify(answers.map(({ answer }) => answer)));
      }
      // Random weights answer at random: each edited model in its own way.
      expect(said.size).toBe(4);

      const again = await client.call('sweeps.start', order([0.6, 0.9]));
      const second = await settled(client, again.id);
      const at = (sweep: SweepResult, alpha: number): SweepPointResult =>
        sweep.points.find((point) => point.alpha === alpha)!;
      expect(at(second, 0.6)).toMatchObject({ reused: true, answers: at(first, 0.6).answers });
      expect(await answersOf(client, at(second, 0.6))).toEqual(await answersOf(client, at(first, 0.6)));
      expect(at(second, 0.9)).toMatchObject({ reused: false, answers: { jobId: again.id } });

      // Nothing outside the folder of answers is read.
      const elsewhere = { jobId: id, at: '../request', split: 'ood' as const };
      await expect(client.call('samples.read', elsewhere)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
      expect(await client.call('samples.steps', { jobId: id })).toEqual({ steps: [] });
    },
  );
});
