/**
 * What the composer's fields hold, as typed, and the order made of it: checked with the same schema that the engine uses,
 * the schema's messages put at the fields.
 */
import {
  revertKinds,
  sweepAxes,
  sweepOrderSchema,
  type RevertKind,
  type Sweep,
  type SweepAxis,
  type SweepOrder,
} from '../../../main/contract/sweeps.ts';
import { paperMatrices, projections, type Projection } from '../../../main/contract/spectral.ts';
import type { TaskSettings } from '../../../main/contract/settings.ts';
import type { SweepOrderInput, StudyCheckpointIds } from '../../stores/sweeps.ts';

export interface ComposerDraft {
  /** Empty: made from what is compared. */
  name: string;
  /** Checkpoints that a study names, or any of the catalogue. */
  source: 'study' | 'checkpoints';
  studyId: string;
  studySeed: number;
  stages: ('sft' | 'rl')[];
  referenceId: string;
  targetId: string;
  /** Where an interpolation goes on to from the reference; empty: nowhere. */
  thirdId: string;
  kind: 'reversion' | 'interpolation';
  reverts: RevertKind[];
  matrices: Projection[];
  axes: SweepAxis[];
  layerMode: 'first' | 'last' | 'each' | 'set';
  /** Empty: scaled to the model. */
  layerCounts: string;
  rankMode: 'top' | 'bottom' | 'band';
  rankCounts: string;
  scrambled: string;
  rotation: string;
  noise: string;
  dose: boolean;
  ceiling: boolean;
  paperCompatible: boolean;
  pairing: 'index' | 'procrustes';
  alphas: string;
  precision: 'float32' | 'float64';
  /** Episodes a split. Empty: those of the study, or the default. */
  episodes: string;
  /** Of the controls. */
  seed: string;
}

/** The paper's four ablations: values and vectors, layer-wise and top-k, beside controls, doses and ceiling. */
export const paperDraft: Readonly<ComposerDraft> = {
  name: '',
  source: 'study',
  studyId: '',
  studySeed: 0,
  stages: ['sft', 'rl'],
  referenceId: '',
  targetId: '',
  thirdId: '',
  kind: 'reversion',
  reverts: ['singularValues', 'singularVectors'],
  matrices: paperMatrices,
  axes: ['layers', 'ranks'],
  layerMode: 'first',
  layerCounts: '',
  rankMode: 'top',
  rankCounts: '',
  scrambled: '3',
  rotation: '0',
  noise: '0',
  dose: true,
  ceiling: true,
  paperCompatible: false,
  pairing: 'index',
  alphas: '0.1, 0.25, 0.5, 0.75, 0.9',
  precision: 'float32',
  episodes: '',
  seed: '0',
};

/** What the composer knows of the checkpoints that are chosen. */
export interface ComposerContext {
  /** Of the chosen study and seed; null while they are looked up. */
  named: StudyCheckpointIds | null;
  studyName: string;
  /** Of the chosen study: its episodes are the ones to be compared on. */
  task: TaskSettings | null;
  /** Name of a checkpoint, for the name of the order. */
  nameOf(id: string): string;
}

export type OrderResult =
  | { ok: true; order: SweepOrder; input: SweepOrderInput }
  /** Field -> message; '' is for all of it. */
  | { ok: false; errors: Record<string, string> };

type Pair = SweepOrderInput['pairs'][number];

const labels = { sft: 'SFT stage', rl: 'RL stage' };
const ends = { sft: ['peak', 'end'], rl: ['end', 'rlEnd'] } as const;
const words = {
  base: 'The base',
  peak: 'The SFT peak',
  end: 'SFT_End',
  last: 'The last SFT checkpoint',
  rlEnd: 'RL_End',
};

/** What a stage lacks to be ablated, a sentence; null when nothing. */
export function stageLacks(stage: 'sft' | 'rl', named: StudyCheckpointIds): string | null {
  const [reference, target] = ends[stage];
  const missing = [reference, target].filter((name) => (named[name] ?? null) === null);
  if (missing.length > 0)
    return `${missing.map((name) => words[name]).join(' and ')} of this seed ${missing.length === 1 ? 'is' : 'are'} not in the catalogue.`;
  return named[reference] === named[target]
    ? `${words[reference]} is ${words[target]} itself: there is nothing to go back to.`
    : null;
}

function studyPairs({ stages, kind }: ComposerDraft, named: StudyCheckpointIds): Pair[] {
  const known = (['sft', 'rl'] as const).filter((stage) => stages.includes(stage) && stageLacks(stage, named) === null);
  // A line through three checkpoints begins at RL_End and goes back over SFT_End to the peak.
  const order = kind === 'interpolation' ? [...known].reverse() : known;
  return order.map((stage) => {
    const [reference, target] = ends[stage];
    return { label: labels[stage], stage, referenceId: named[reference]!, targetId: named[target]! };
  });
}

function chosenPairs({ kind, referenceId, targetId, thirdId }: ComposerDraft, { nameOf }: ComposerContext): Pair[] {
  const pair = (reference: string, target: string): Pair => ({
    label: `${nameOf(target)} towards ${nameOf(reference)}`.slice(0, 200),
    stage: null,
    referenceId: reference,
    targetId: target,
  });
  const first = pair(referenceId, targetId);
  return kind === 'interpolation' && thirdId !== '' ? [first, pair(thirdId, referenceId)] : [first];
}

/** "5, 10 20" -> [5, 10, 20]; text that is no number stays, so that the schema can say so. */
function list(text: string): (number | string)[] {
  return text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map((part) => (Number.isNaN(Number(part)) ? part : Number(part)));
}
/** In the contract's order, whatever the order of the clicks: the same choice is the same order. */
const inOrder = <T>(chosen: readonly T[], all: readonly T[]): T[] => all.filter((one) => chosen.includes(one));
const countsOrScaled = (text: string): (number | string)[] | null => (text.trim() === '' ? null : list(text));
const number = (text: string): number | string =>
  text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);

function suggestedName(draft: ComposerDraft, context: ComposerContext): string {
  if (draft.source === 'checkpoints') {
    const [target, reference] = [context.nameOf(draft.targetId), context.nameOf(draft.referenceId)];
    return `${draft.kind === 'interpolation' ? 'Line: ' : ''}${target} towards ${reference}`;
  }
  const isPaper = draft.kind === 'reversion' && draft.axes.join() === 'layers,ranks' && draft.stages.length === 2;
  const what = draft.kind === 'interpolation' ? 'Interpolation' : isPaper ? "The paper's four ablations" : 'Ablation';
  return `${what}: ${context.studyName}, seed ${draft.studySeed}`;
}

/** Path of the schema -> the field that holds it. */
const fieldOf: Record<string, string> = {
  name: 'name',
  pairs: 'pairs',
  'settings.seed': 'seed',
  'settings.task.evaluationEpisodes': 'episodes',
  'settings.sweep.reverts': 'reverts',
  'settings.sweep.matrices': 'matrices',
  'settings.sweep.axes': 'axes',
  'settings.sweep.layerCounts': 'layerCounts',
  'settings.sweep.rankCounts': 'rankCounts',
  'settings.sweep.controls.scrambled': 'scrambled',
  'settings.sweep.controls.rotation': 'rotation',
  'settings.sweep.controls.noise': 'noise',
  'settings.sweep.alphas': 'alphas',
};

function sweepOf(draft: ComposerDraft): unknown {
  if (draft.kind === 'interpolation') return { kind: 'interpolation', alphas: list(draft.alphas) };
  const { layerMode, rankMode, dose, ceiling, paperCompatible, pairing } = draft;
  const reverts = inOrder(draft.reverts, revertKinds);
  const matrices = inOrder(draft.matrices, projections);
  const axes = inOrder(draft.axes, sweepAxes);
  const controls = { scrambled: number(draft.scrambled), rotation: number(draft.rotation), noise: number(draft.noise) };
  const [layerCounts, rankCounts] = [countsOrScaled(draft.layerCounts), countsOrScaled(draft.rankCounts)];
  const chosen = { reverts, matrices, axes, layerMode, rankMode, dose, ceiling, paperCompatible, pairing };
  return { kind: 'reversion', ...chosen, layerCounts, rankCounts, controls };
}

function beforeSchema(draft: ComposerDraft, { named }: ComposerContext): Record<string, string> {
  const errors: Record<string, string> = {};
  if (draft.source === 'checkpoints') {
    if (draft.referenceId === '') errors['referenceId'] = 'Choose the checkpoint to go back to.';
    if (draft.targetId === '') errors['targetId'] = 'Choose the checkpoint that is edited.';
    else if (draft.targetId === draft.referenceId)
      errors['targetId'] = 'This is the reference itself: choose another one.';
    if (draft.kind === 'interpolation' && draft.thirdId !== '' && draft.thirdId === draft.referenceId)
      errors['thirdId'] = 'This is the reference itself: choose another one.';
  } else if (draft.studyId === '') errors['studyId'] = 'Choose a study.';
  else if (named !== null && studyPairs(draft, named).length === 0)
    errors['stages'] = 'Choose a stage whose checkpoints are in the catalogue.';
  return errors;
}

export function orderFromDraft(draft: ComposerDraft, context: ComposerContext): OrderResult {
  const early = beforeSchema(draft, context);
  if (Object.keys(early).length > 0) return { ok: false, errors: early };
  if (draft.source === 'study' && context.named === null)
    return { ok: false, errors: { '': 'Looking up the checkpoints of the study.' } };
  const ofStudy = draft.source === 'study';
  const task = {
    ...(ofStudy && context.task !== null ? context.task : {}),
    ...(draft.episodes.trim() === '' ? {} : { evaluationEpisodes: number(draft.episodes) }),
  };
  const input = {
    name: draft.name.trim() === '' ? suggestedName(draft, context).slice(0, 120) : draft.name,
    pairs: ofStudy ? studyPairs(draft, context.named!) : chosenPairs(draft, context),
    settings: { sweep: sweepOf(draft), precision: draft.precision, seed: number(draft.seed), task },
  };
  const parsed = sweepOrderSchema.safeParse(input);
  if (parsed.success) return { ok: true, order: parsed.data, input: parsed.data };
  const errors: Record<string, string> = {};
  for (const { path, message } of parsed.error.issues) {
    const keys = path.map(String);
    while (keys.length > 0 && fieldOf[keys.join('.')] === undefined) keys.pop();
    errors[fieldOf[keys.join('.')] ?? ''] ??= message;
  }
  return { ok: false, errors };
}

/** A stored draft of whatever version: known fields of the right type are kept. */
export function draftFrom(stored: Record<string, unknown>): ComposerDraft {
  const draft: Record<string, unknown> = { ...paperDraft };
  for (const [key, value] of Object.entries(paperDraft)) {
    const kept = stored[key];
    if (typeof kept === typeof value && Array.isArray(kept) === Array.isArray(value)) draft[key] = kept;
  }
  return draft as unknown as ComposerDraft;
}

/** Only what differs from the paper's four: what is worth remembering. */
export function changedFields(draft: ComposerDraft): Partial<ComposerDraft> {
  const entries = Object.entries(draft).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(paperDraft[key as keyof ComposerDraft]),
  );
  return Object.fromEntries(entries);
}

/** The composer's fields that make this sweep again, to change one of them (it then needs another name); `origin` finds the study of a checkpoint. */
export function draftOfSweep(
  { pairs, settings }: Pick<Sweep, 'pairs' | 'settings'>,
  origin: (id: string) => { studyId: string | null; seed: number | null } | null,
): ComposerDraft {
  const { sweep, precision, seed, task } = settings;
  const [first, second] = pairs;
  const from = first === undefined ? null : origin(first.target.id);
  const isOfStudy = pairs.every(({ stage }) => stage !== null) && from !== null && from.studyId !== null;
  const source: Partial<ComposerDraft> = isOfStudy
    ? {
        source: 'study',
        studyId: from.studyId!,
        studySeed: from.seed ?? 0,
        stages: pairs.flatMap(({ stage }) => stage ?? []),
      }
    : {
        source: 'checkpoints',
        referenceId: first?.reference.id ?? '',
        targetId: first?.target.id ?? '',
        thirdId: second?.reference.id ?? '',
      };
  const shared = {
    ...paperDraft,
    ...source,
    precision,
    seed: String(seed),
    episodes: String(task.evaluationEpisodes),
  };
  if (sweep.kind === 'interpolation') return { ...shared, kind: 'interpolation', alphas: sweep.alphas.join(', ') };
  const { controls, layerCounts, rankCounts, kind, ...rest } = sweep;
  return {
    ...shared,
    ...rest,
    kind,
    layerCounts: layerCounts?.join(', ') ?? '',
    rankCounts: rankCounts?.join(', ') ?? '',
    scrambled: String(controls.scrambled),
    rotation: String(controls.rotation),
    noise: String(controls.noise),
  };
}
