/**
 * The composer's rules: which checkpoints are steps of one trajectory, the pairs that a study suggests, and the typed
 * settings as the contract takes them.
 */
import type { Checkpoint } from '../../../main/contract/api.ts';
import {
  paperMatrices,
  precisionSchema,
  projections,
  type ComparisonSettings,
  type Projection,
} from '../../../main/contract/spectral.ts';
import type { StudyCheckpoint } from '../../../main/contract/studyResult.ts';

/** What is compared, by ids; empty strings and lists where nothing is chosen. */
export interface Selection {
  reference: string;
  targets: string[];
  restoration: string;
}

const stepOf = / · (step|iteration) \d+$/;
/** Checkpoints of one run share it; null: this one stands alone. */
function runOf({ studyId, seed, trajectory, name }: Checkpoint): string | null {
  if (trajectory !== null) return JSON.stringify([studyId, seed, trajectory]);
  return studyId !== null && stepOf.test(name) ? JSON.stringify([studyId, seed, name.replace(stepOf, '')]) : null;
}

/** The steps of the trajectory that `checkpoint` is of, itself among them, in order; empty when it stands alone. */
export function trajectoryOf(checkpoint: Checkpoint | undefined, all: readonly Checkpoint[]): Checkpoint[] {
  const run = checkpoint === undefined ? null : runOf(checkpoint);
  if (run === null) return [];
  const steps = all.filter((one) => one.step !== null && runOf(one) === run);
  return steps.length < 2 ? [] : steps.sort((a, b) => a.step! - b.step!);
}

export interface PairPreset extends Selection {
  label: string;
}

type StudyIds = Partial<Record<StudyCheckpoint, string | null>>;
const pairs: { label: string; reference: StudyCheckpoint; target: StudyCheckpoint; restoration?: StudyCheckpoint }[] = [
  { label: 'SFT peak → SFT_End', reference: 'peak', target: 'end' },
  // Does RL undo SFT? Beside it the way back to the peak.
  { label: 'SFT_End → RL_End', reference: 'end', target: 'rlEnd', restoration: 'peak' },
  { label: 'base → SFT_End', reference: 'base', target: 'end' },
];

/** Pairs of the checkpoints that a study names; those whose checkpoints are there. */
export function pairPresets(ids: StudyIds): PairPreset[] {
  return pairs.flatMap(({ label, reference, target, restoration }) => {
    const [from, to] = [ids[reference], ids[target]];
    if (!from || !to || from === to) return [];
    return [{ label, reference: from, targets: [to], restoration: (restoration && ids[restoration]) ?? '' }];
  });
}

/**
 * Layers as they are typed: "0-3, 7", or nothing for all.
 * @returns ascending indices, null for all, or what is wrong with the text
 */
export function layersFrom(text: string): number[] | null | { error: string } {
  if (text.trim() === '') return null;
  const layers = new Set<number>();
  for (const part of text.split(',').map((one) => one.trim())) {
    const match = /^(\d{1,4})(?:\s*[-–]\s*(\d{1,4}))?$/.exec(part);
    if (match === null) return { error: `"${part}" is no layer. Write numbers from 0 and ranges: 0-3, 7.` };
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (to < from) return { error: `The range ${part} runs backwards. Write ${to}-${from}.` };
    for (let layer = from; layer <= to; layer += 1) layers.add(layer);
  }
  return [...layers].sort((a, b) => a - b);
}

/** Every field as text; absent ones have their default. */
export interface SettingsDraft {
  matrices: string;
  layers: string;
  rankBy: string;
  rank: string;
  precision: string;
}
export const initialDraft: SettingsDraft = {
  matrices: paperMatrices.join(','),
  layers: '',
  rankBy: 'share',
  rank: '50',
  precision: 'float32',
};
export const initialRank: Record<string, string> = { share: '50', rank: '64' };

type AngleRank = ComparisonSettings['angleRank'];
function angleRankFrom(by: string, text: string): AngleRank | { error: string } {
  const value = Number(text);
  if (by === 'rank')
    return Number.isInteger(value) && value > 0 ? { rank: value } : { error: 'A rank is a whole number from 1.' };
  return text.trim() !== '' && value > 0 && value <= 100
    ? { share: value / 100 }
    : { error: 'A share is above 0 and at most 100 %.' };
}

export type DraftErrors = Partial<Record<keyof SettingsDraft, string>>;

/** @returns settings for the engine, and what is wrong by field; defaults stand in for the wrong ones */
export function settingsFrom(draft: SettingsDraft): {
  settings: Omit<ComparisonSettings, 'seed'>;
  errors: DraftErrors;
} {
  const errors: DraftErrors = {};
  const matrices = projections.filter((one: Projection) => draft.matrices.split(',').includes(one));
  if (matrices.length === 0) errors.matrices = 'Choose at least one matrix.';
  const layers = layersFrom(draft.layers);
  if (layers !== null && 'error' in layers) errors.layers = layers.error;
  const angleRank = angleRankFrom(draft.rankBy, draft.rank);
  if ('error' in angleRank) errors.rank = angleRank.error;
  const precision = precisionSchema.safeParse(draft.precision);
  return {
    settings: {
      matrices: matrices.length > 0 ? matrices : paperMatrices,
      layers: layers !== null && 'error' in layers ? null : layers,
      angleRank: 'error' in angleRank ? { share: 0.5 } : angleRank,
      precision: precision.success ? precision.data : 'float32',
    },
    errors,
  };
}

/** What keeps a selection from being compared, with the next step; null when nothing does. */
export function selectionProblem({ reference, targets, restoration }: Selection): string | null {
  if (reference === '') return 'Choose the reference: the checkpoint to go back to.';
  if (targets.length === 0) return 'Choose the target: the checkpoint that training led to.';
  if (targets.includes(reference)) return 'Reference and target are the same checkpoint. Choose another target.';
  if (restoration === reference) return 'The restoration checkpoint is the reference itself. Choose another or none.';
  return null;
}
