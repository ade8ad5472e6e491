/**
 * A study killed (SIGKILL) again and again, its worker or its engine, ends with the same numbers as one never killed.
 * Real engine, real worker processes, the real job kinds on a cut-down study.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { studyResultSchema } from '../../main/contract/studyResult.ts';
import type { StudyResult } from '../../main/contract/studyResult.ts';
import { Philox } from '../../main/ml/random/philox.ts';
import { cliEntry, temporaryFolder } from './engineProcess.ts';

const small = {
  'task.evaluationEpisodes': '16',
  'model.hiddenSize': '16',
  'model.intermediateSize': '24',
  'model.numHiddenLayers': '1',
  'pretrain.steps': '250',
  'pretrain.batchSize': '16',
  'sft.examples': '64',
  'sft.batchSize': '16',
  'sft.steps': '60',
  'sft.checkpoints': '[0,10,20,40,60]',
  'sft.endStep': '20',
  'rl.iterations': '12',
  'rl.rolloutSize': '16',
  'rl.minibatchSize': '16',
  'rl.evaluateEvery': '6',
  'rl.starts': '[20,"peak"]',
  'rl.controlArms': '["ppoPlain"]',
  'ablation.controlReplicates': '2',
  'ablation.interpolationAlphas': '[0.5]',
};

function startStudy(folder: string): { child: ChildProcess; ended: Promise<{ code: number | null; lines: string[] }> } {
  const settings = Object.entries(small).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const args = [cliEntry, 'study', 'miniature', '--data', folder, '--seeds', '3', '--json', ...settings];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  const ended = new Promise<{ code: number | null; lines: string[] }>((resolve, reject) => {
    child.once('close', (code) => {
      const lines = Buffer.concat(output).toString().trim().split('\n');
      if (code !== 0 && code !== null)
        reject(new Error(`Exit code ${code}: ${Buffer.concat(errors).toString()} ${lines.slice(-3).join('\n')}`));
      else resolve({ code, lines });
    });
  });
  return { child, ended };
}

function resultOf(lines: string[]): StudyResult {
  return studyResultSchema.parse(JSON.parse(lines.at(-1)!));
}

/** Pids of the workers of this data folder that are alive. */
function workers(folder: string): number[] {
  const jobs = join(folder, 'jobs');
  if (!existsSync(jobs)) return [];
  return readdirSync(jobs).flatMap((job) => {
    const file = join(jobs, job, 'worker.json');
    if (!existsSync(file)) return [];
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    const command = `/proc/${pid}/cmdline`;
    return existsSync(command) && readFileSync(command, 'utf8').includes(job) ? [pid] : [];
  });
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch (error) {
    // it may have ended by itself a moment ago
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Kills the engine and its workers in turns, at seeded random moments, until the study has ended by itself. */
async function runKilled(folder: string, random: Philox, kills: number): Promise<{ lines: string[]; killed: number }> {
  let killed = 0;
  for (;;) {
    const { child, ended } = startStudy(folder);
    let running = true;
    void ended.finally(() => (running = false)).catch(() => undefined);
    while (running && killed < kills) {
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1500 + random.int(5000)))]);
      if (!running) break;
      const alive = workers(folder);
      if (killed++ % 2 === 0) {
        kill(child.pid);
        break;
      }
      if (alive.length > 0) kill(random.choice(alive));
    }
    const { code, lines } = await ended;
    if (code === 0) return { lines, killed };
  }
}

describe.skipIf(process.platform !== 'linux')('a study killed at random moments', () => {
  it('ends with the same numbers as one never killed', { timeout: 400_000 }, async () => {
    const whole = startStudy(await temporaryFolder());
    const reference = resultOf((await whole.ended).lines);
    expect(reference.complete).toBe(true);
    const { lines, killed } = await runKilled(await temporaryFolder(), new Philox('kills'), 6);
    expect(killed).toBeGreaterThan(2);
    const result = resultOf(lines);
    expect(result.complete).toBe(true);
    expect(result.seeds).toEqual(reference.seeds);
  });
});
