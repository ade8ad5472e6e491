/**
 * Tiny kinds that stand in for the real ones: they write what a stage writes, in milliseconds, and can be told to
 * crash, hang or fail. Taken in place of main/jobs/kinds.ts by ROTASCOPE_TEST_KINDS.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Evaluation, SplitScore } from '../../../main/contract/evaluation.ts';
import type { JobContext, JobKindFunction, KindTable } from '../../../main/jobs/jobContext.ts';

export interface CountRequest {
  steps: number;
  /** Time of one step. */
  stepMs?: number;
  /** A resume point after so many steps. */
  resumeEvery?: number;
  /** SIGKILLs itself after this step, at the first attempts up to `crashes`. */
  crashAtStep?: number;
  crashes?: number;
  /** And after this one at the second attempt. */
  thenCrashAtStep?: number;
  failAtStep?: number;
  /** Blocks the whole thread, deaf to signals. */
  hangAtStep?: number;
  ignoreAbort?: boolean;
}

/** A function of the step alone: a resumed run has to give the same numbers. */
export const valueAt = (step: number): number => Math.sin(step) + step / 10;

function score(correct: number, n: number): SplitScore {
  const outcomes = '1'.repeat(correct) + '0'.repeat(n - correct);
  return {
    n,
    correct,
    formatOk: n,
    numberOk: n,
    forcedCorrect: correct,
    ruleSlips: 0,
    outcomes,
    forcedOutcomes: outcomes,
    loss: 0.5,
    formatLoss: 0.1,
    numberLoss: 0.1,
    formulaLoss: 0.3,
  };
}

export const evaluationAt = (step: number): Evaluation => ({ inDist: score(3, 4), ood: score(step % 5, 4) });

async function count(context: JobContext, request: CountRequest): Promise<void> {
  const { steps, stepMs = 1, resumeEvery = 5 } = request;
  const stateFile = join(context.folder, 'state.json');
  const resumed = existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, 'utf8')) as { step: number }).step : 0;
  context.emit({ type: 'log', level: 'info', text: `attempt ${context.attempt} from step ${resumed}` });
  for (let step = resumed + 1; step <= steps; step++) {
    if (!request.ignoreAbort) context.signal.throwIfAborted();
    await sleep(stepMs);
    context.emit({ type: 'metrics', step, values: { value: valueAt(step), attempt: context.attempt } });
    context.emit({ type: 'progress', done: step, total: steps, text: `step ${step} of ${steps}` });
    if (step === request.failAtStep) throw new TypeError(`Step ${step} cannot be done.`);
    if (step === request.crashAtStep && context.attempt <= (request.crashes ?? 1)) process.kill(process.pid, 'SIGKILL');
    if (step === request.thenCrashAtStep && context.attempt === 2) process.kill(process.pid, 'SIGKILL');
    if (step === request.hangAtStep) for (;;) Math.random();
    if (step % resumeEvery === 0) {
      context.emit({ type: 'evaluation', step, evaluation: evaluationAt(step) });
      writeFileSync(stateFile, JSON.stringify({ step }));
      context.emit({ type: 'resumePoint', step });
    }
  }
}

const counting: JobKindFunction = async (context) => {
  await count(context, context.request as CountRequest);
  return { counted: (context.request as CountRequest).steps };
};

/** Speed and faults of a fake study, from the environment of the engine. */
const studyFaults = (): Partial<CountRequest> => JSON.parse(process.env['ROTASCOPE_TEST_FAULTS'] ?? '{}') as object;

const tinyLlama = fileURLToPath(new URL('../../fixtures/tiny-llama', import.meta.url));

/** A real checkpoint, as a stage would have written it. */
async function checkpointFolder(context: JobContext, name: string): Promise<string> {
  const { outputFolder } = context.request as { outputFolder: string };
  const folder = join(outputFolder, name);
  await cp(tinyLlama, folder, { recursive: true });
  return folder;
}

const pretrain: JobKindFunction = async (context) => {
  await count(context, { steps: 10, ...studyFaults() });
  return { base: await checkpointFolder(context, 'base') };
};

const sft: JobKindFunction = async (context) => {
  const { sft: settings } = context.request as { sft: { checkpoints: number[] } };
  const checkpoints: Record<string, string> = {};
  for (const step of settings.checkpoints) {
    checkpoints[step] = await checkpointFolder(context, `step-${step}`);
    context.emit({ type: 'evaluation', step, evaluation: evaluationAt(step), folder: checkpoints[step] });
  }
  return { checkpoints, peakStep: settings.checkpoints[1] };
};

const rl: JobKindFunction = async (context) => {
  const { start } = context.request as { start: string };
  for (const step of [0, 1]) context.emit({ type: 'evaluation', step, evaluation: evaluationAt(step) });
  const folder = await checkpointFolder(context, 'end');
  context.emit({ type: 'evaluation', step: 2, evaluation: evaluationAt(2), folder });
  // The best one is known as such only at the end.
  const checkpoints = { 0: start, 1: await checkpointFolder(context, 'best'), 2: folder };
  return { folder, checkpoints, startRewardShare: 0.5, startEntropy: 0.25 };
};

const decompose: JobKindFunction = () => Promise.resolve({ spectra: [] });

const ablate: JobKindFunction = (context) => {
  context.emit({
    type: 'ablation',
    point: {
      stage: 'sft',
      reference: 'peak',
      target: 'end',
      edit: 'singularValues',
      changeNorm: 1,
      relativeChange: 0.1,
      orthogonalityDefect: 0,
      effectiveRank: 3,
      negativeSingularValues: 0,
      evaluation: evaluationAt(3),
    },
  });
  return Promise.resolve({ points: 1 });
};

const analyse: JobKindFunction = (context) => {
  const { seed } = context.request as { seed: number };
  return Promise.resolve(seed === -1 ? { across: { rows: [] }, words: ['The peak is at step 5.'] } : {});
};

const entry = (kind: JobKindFunction) => ({ load: () => Promise.resolve({ kind }), computes: false });

export const kinds: KindTable = {
  pretrain: entry(pretrain),
  sft: entry(sft),
  rl: entry(rl),
  decompose: entry(decompose),
  ablate: entry(ablate),
  analyse: entry(analyse),
  selfTest: entry(counting),
  compare: entry(counting),
  sweep: entry(counting),
  hiddenStates: entry(counting),
  exportPoint: entry(counting),
  // What they do is quick enough to be done for real.
  hashCheckpoints: { load: () => import('../../../main/jobs/kinds/hashCheckpoints.ts'), computes: false },
  copyCheckpoint: { load: () => import('../../../main/jobs/kinds/copyCheckpoint.ts'), computes: false },
  diffCheckpoints: { load: () => import('../../../main/jobs/kinds/diffCheckpoints.ts'), computes: false },
  backup: { load: () => import('../../../main/jobs/kinds/backup.ts'), computes: false },
  restore: { load: () => import('../../../main/jobs/kinds/restore.ts'), computes: false },
  moveData: { load: () => import('../../../main/jobs/kinds/moveData.ts'), computes: false },
};
