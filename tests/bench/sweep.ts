/**
 * The reversion sweep of the miniature study, ours end to end (engine, worker, decompositions, edits, evaluation, database)
 * beside the same sweep in PyTorch done as the published scripts do it: per point both checkpoints loaded, an SVD of every
 * edited matrix of both, the whole model saved as a checkpoint, loaded again, and asked the same episodes.
 *
 * Two peers: one prompt at a time with transformers' `generate`, as the published evaluator answers (on some points and
 * episodes, scaled to all of them), and in batches, which is generous. Ours does more per point: forced answers and
 * losses by step as well. The peer runs on one thread, and its time is divided by the cores, as if it ran one process a core
 * without loss: its small products get slower with more threads. Accuracies have to agree within `allowedDifference`. Last line: the ratio to the published way.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { attachEngine } from '../../main/cli/attach.ts';
import type { CallInput } from '../../main/contract/api.ts';
import { taskSettingsSchema } from '../../main/contract/settings.ts';
import type { SweepPointResult, SweepResult } from '../../main/contract/sweeps.ts';
import { physicalCores } from '../../main/jobs/physicalCores.ts';
import { episodeSets, openTask } from '../../main/ml/evaluation/evaluateModel.ts';
import type { Episode } from '../../main/ml/tasks/task.ts';
import { installPeer, peerPython } from './peer/install.mjs';

const checkpoints = fileURLToPath(new URL('../../resources/sample-study/checkpoints/', import.meta.url));
const target = join(checkpoints, 'seed-0-end');
const reference = join(checkpoints, 'seed-0-peak');
/** Answers of 600 that may differ at a point: float32 SVDs of two LAPACKs, and ties in a greedy choice. */
const allowedDifference = 3;
/** Prompts of one batch of the generous peer; as many as ours. */
const batch = 300;
/** Points that the peers are timed on, evenly over the sweep; scaled to all of them. */
const batchedPoints = 8;
const singlePoints = 2;
/** Episodes of a point that the peer answers one prompt at a time; scaled. */
const singleEpisodes = 60;

const task = openTask(taskSettingsSchema.parse({}));
const settings: CallInput<'sweeps.start'>['settings'] = {
  sweep: {
    kind: 'reversion',
    reverts: ['singularValues', 'singularVectors'],
    axes: ['layers', 'ranks'],
    controls: { scrambled: 0, rotation: 0, noise: 0 },
    dose: false,
    ceiling: false,
  },
};

/** A sweep in a data folder of its own: nothing is cached. */
async function ours(): Promise<{ ms: number; result: SweepResult }> {
  const data = await mkdtemp(join(tmpdir(), 'rotascope-bench-'));
  const engine = await attachEngine(data);
  try {
    const { client } = engine;
    const verdicts = await client.call('checkpoints.import', { paths: [target, reference] });
    const [targetId, referenceId] = verdicts.map(({ checkpointId }) => checkpointId!) as [string, string];
    const start = performance.now();
    const { id } = await client.call('sweeps.start', { name: 'Bench', pairs: [{ targetId, referenceId }], settings });
    for (;;) {
      const { state, error } = await client.call('jobs.get', { id });
      if (state === 'succeeded') break;
      if (state !== 'queued' && state !== 'running') throw new Error(`The sweep is ${state}: ${error?.message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const ms = performance.now() - start;
    return { ms, result: await client.call('sweeps.get', { id }) };
  } finally {
    await engine.close();
    await rm(data, { recursive: true, force: true });
  }
}

interface PeerAnswer {
  prepareMs: number;
  answerMs: number;
  tokens: number[][];
  versions: string;
}

async function startPeer(prompts: number[][]) {
  const scratch = await mkdtemp(join(tmpdir(), 'rotascope-bench-peer-'));
  const script = fileURLToPath(new URL('./peer/sweep.py', import.meta.url));
  const child = spawn(peerPython, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const send = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const { answerLength: newTokens, eosId: eos, padId: pad } = task;
  send({ target, reference, scratch: join(scratch, 'point'), threads: 1, prompts, newTokens, eos, pad });
  return {
    async point({ edit, layers, ranks }: SweepPointResult, size: number, episodes: number): Promise<PeerAnswer> {
      send({ revert: edit, layers, top: ranks?.top ?? null, batch: size, episodes });
      const [line] = (await once(lines, 'line')) as [string];
      return JSON.parse(line) as PeerAnswer;
    },
    async stop(): Promise<void> {
      child.kill();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

const evenly = <T>(all: readonly T[], count: number): T[] =>
  Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]!);

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

type Peer = Awaited<ReturnType<typeof startPeer>>;

/** All points in batches, scaled from some; and how far the numbers of right answers are apart at most. */
async function inBatches(peer: Peer, points: readonly SweepPointResult[], episodes: readonly Episode[]) {
  const half = episodes.length / 2;
  const times = { prepareMs: 0, answerMs: 0 };
  let apart = 0;
  for (const point of evenly(points, batchedPoints)) {
    const { prepareMs, answerMs, tokens } = await peer.point(point, batch, episodes.length);
    times.prepareMs += prepareMs;
    times.answerMs += answerMs;
    const right = tokens.map((answer, i) => task.verify(episodes[i]!, answer).correct);
    const correct = [right.slice(0, half), right.slice(half)].map((part) => part.filter(Boolean).length);
    const { inDist, ood } = point.evaluation!;
    apart = Math.max(apart, Math.abs(correct[0]! - inDist.correct), Math.abs(correct[1]! - ood.correct));
  }
  const scale = points.length / batchedPoints;
  return { ms: scale * (times.prepareMs + times.answerMs), prepareMs: scale * times.prepareMs, apart };
}

/** All points, one prompt at a time, scaled from some points and some of their episodes. */
async function oneByOne(peer: Peer, points: readonly SweepPointResult[], episodes: number): Promise<number> {
  let ms = 0;
  for (const point of evenly(points, singlePoints)) {
    const { prepareMs, answerMs } = await peer.point(point, 1, singleEpisodes);
    ms += prepareMs + (answerMs * episodes) / singleEpisodes;
  }
  return (points.length / singlePoints) * ms;
}

export async function run(): Promise<void> {
  if (!(await installPeer()))
    throw new Error('The peer is not installed: run node tests/bench/peer/install.mjs first.');
  const cores = physicalCores();
  const sets = episodeSets(task, taskSettingsSchema.parse({}));
  const episodes = [...sets.inDist, ...sets.ood];
  const half = sets.inDist.length;
  const first = await ours();
  const points = first.result.points.filter(({ edit }) => edit !== 'none');
  const prompts = episodes.map(({ prompt }) => [...prompt]);
  const peer = await startPeer(prompts);
  try {
    const { versions } = await peer.point(points[0]!, batch, batch);
    const batched = await inBatches(peer, points, episodes);
    const [batchedMs, prepareMs, singleMs] = [
      batched.ms,
      batched.prepareMs,
      await oneByOne(peer, points, episodes.length),
    ].map((ms) => ms / cores) as [number, number, number];
    // before and after the peers, so that a machine that others use too is the same for both
    const second = await ours();
    const ms = (first.ms + second.ms) / 2;
    const ratio = (peerMs: number): string => `${(peerMs / ms).toFixed(2)}x`;
    console.log(
      `${points.length} points and both own accuracies, ${half} episodes a split, ${cores} cores; ${versions}`,
    );
    console.log(
      `Ours, from the order to the last point in the database: ${seconds(first.ms)} and ${seconds(second.ms)}`,
    );
    console.log(
      `Peer in batches of ${batch} (${batchedPoints} points, scaled): ${seconds(batchedMs)}, of them SVDs and checkpoints ${seconds(prepareMs)}: ${ratio(batchedMs)}`,
    );
    console.log(
      `Peer one prompt at a time, as published (${singlePoints} points, ${singleEpisodes} of ${episodes.length} episodes, scaled): ${seconds(singleMs)}: ${ratio(singleMs)}`,
    );
    console.log(`Right answers of ${half}: at most ${batched.apart} apart at a point (allowed: ${allowedDifference})`);
    if (batched.apart > allowedDifference) throw new Error('The two sweeps do not give the same numbers.');
    console.log(ratio(singleMs));
  } finally {
    await peer.stop();
  }
}
