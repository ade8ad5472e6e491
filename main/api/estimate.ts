/** What a study will cost on this machine, before it starts. */
import type { CallAnswer, ComputeStatus } from '../contract/api.ts';
import type { StudySettings } from '../contract/settings.ts';
import { makespanMs } from '../jobs/timeLeft.ts';
import type { JobStore } from '../store/jobStore.ts';
import { miniature, parameterCount } from '../studies/miniature.ts';

/** Weights are seconds with native TensorFlow; WebAssembly, one thread, takes about so many times longer (measured: 21). */
const wasmSlowdown = 20;
/** Newest runs of a kind that count. */
const remembered = 6;
const bytesPerParameter = 4;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

export interface Pace {
  msPerWeight: number;
  /** In words, for the form. */
  basis: string;
}

/** From earlier jobs on this machine where there are any, else from the recipe's own times. */
export function pace(jobs: JobStore, backend: ComputeStatus['backend']): Pace {
  const measured = (['pretrain', 'sft', 'rl', 'ablate'] as const).flatMap((kind) => {
    const paces = jobs.recentMsPerWeight(kind, remembered);
    return paces.length > 0 ? [median(paces)] : [];
  });
  if (measured.length > 0) return { msPerWeight: median(measured), basis: 'Measured on earlier runs on this machine.' };
  return backend === 'wasm'
    ? { msPerWeight: 1000 * wasmSlowdown, basis: 'Recipe times, scaled for WebAssembly; not measured here yet.' }
    : {
        msPerWeight: 1000,
        basis: `Recipe times on two cores with native TensorFlow; not measured ${backend === 'webgpu' ? 'on this GPU' : 'here'} yet.`,
      };
}

export function estimateStudy(
  settings: StudySettings,
  jobs: JobStore,
  slots: number,
  backend: ComputeStatus['backend'],
): CallAnswer<'studies.estimate'> {
  const plan = miniature.plan(settings);
  const { msPerWeight, basis } = pace(jobs, backend);
  const durationMs = makespanMs(
    plan.map((stage) => ({ ...stage, durationMs: stage.weight * msPerWeight })),
    slots,
  );
  const rlRuns = plan.filter(({ kind }) => kind === 'rl').length;
  // Adam keeps two moments beside each weight, for one run of each kind at a time.
  const copies = settings.seeds.length * (1 + settings.sft.checkpoints.length + 3) + rlRuns * (1 + 3);
  const diskBytes = Math.round(copies * parameterCount(settings.model) * bytesPerParameter);
  return { durationMs: Math.round(durationMs), diskBytes, jobs: plan.length, basis };
}
