/**
 * What a new study begins with, and which of its settings count: a preset, the checkpoint that it starts from (or none),
 * and what was changed of the preset. All of it is in the address, so that it can be linked to and survives a reload.
 */
import type { LocationQuery } from 'vue-router';
import { settingsPresets, type SettingsPreset } from '../../../main/contract/presets.ts';
import {
  isTextTask,
  studySettingsSchema,
  type StudySettings,
  type StudySettingsInput,
  type TaskName,
} from '../../../main/contract/settings.ts';
import { draftFromSettings, settingGroups, type Draft, type SettingField, type SettingGroup } from './settingsForm.ts';

/** A study as it is composed. */
export interface Composition {
  preset: SettingsPreset;
  /** Id in the catalogue; empty: none. */
  baseId: string;
  draft: Draft;
}

const presetOf = (id: string): SettingsPreset =>
  settingsPresets.find((preset) => preset.id === id) ?? settingsPresets[0]!;

/** Whether the study starts from a checkpoint, chosen or still to be chosen. */
export const startsFromCheckpoint = ({ preset, baseId }: Pick<Composition, 'preset' | 'baseId'>): boolean =>
  preset.base === 'required' || (preset.base === 'optional' && baseId !== '');

/** Settings with no word of a base: `studySettingsSchema` wants one beside a task in text. */
function parsed(settings: StudySettingsInput): StudySettings {
  return { ...studySettingsSchema.parse({ ...settings, base: { folder: '-' } }), base: null };
}

/** The settings of a preset. One that may start from a checkpoint then has the numbers of the published Qwen runs. */
export function presetSettings(preset: SettingsPreset, hasBase: boolean): StudySettings {
  if (!hasBase) return studySettingsSchema.parse(preset.settings);
  if (preset.base === 'required') return parsed(preset.settings);
  const { task, sft, rl } = presetOf('paper-qwen').settings;
  return parsed({ task, sft, rl: { starts: rl?.starts, text: rl?.text }, ...preset.settings });
}

/** Of GRPO there is no critic, and one answer a prompt. */
const criticFields = [
  ...['valueLearningRate', 'criticWarmupIterations', 'vfCoef', 'valueHead', 'clipValueLoss'],
  ...['gamma', 'gaeLambda', 'dialogueAttempts'],
];

/** What the other settings say, as far as it decides which settings count. */
interface Situation {
  protocol: StudySettings['preset'];
  hasBase: boolean;
  /** The value at a path now. */
  at(path: string): string;
}

function countsInText(path: string, { protocol, at }: Situation): boolean {
  if (/^(?:model|pretrain|ablation)\./.test(path)) return false;
  if (path.startsWith('rl.') && !path.startsWith('rl.text.'))
    return path === 'rl.controlArms' || (path === 'rl.starts' && protocol !== 'comparison');
  const task = at('task.name');
  if (path === 'task.text.target') return task === 'generalPoints';
  if (path === 'task.text.routesFile') return task === 'navigation';
  if (path === 'task.text.matched') return task === 'generalPoints' || task === 'navigation';
  if (/decoding\.(?:temperature|topP)$/.test(path)) return at('task.text.decoding.mode') === 'sample';
  if (path === 'sft.examples') return at('sft.text.dataFile') === '';
  const rl = path.replace('rl.text.', '');
  if (at('rl.text.algorithm') === 'ppo') return rl !== 'groupSize' && rl !== 'groupScale';
  return !criticFields.includes(rl);
}

function counts(path: string, situation: Situation): boolean {
  const { protocol, hasBase } = situation;
  // The preset has chosen the protocol.
  if (path === 'preset') return false;
  if (path.startsWith('comparison.') && protocol !== 'comparison') return false;
  if (hasBase) return countsInText(path, situation);
  if (path.includes('.text.') || path === 'disk.dtype') return false;
  return protocol !== 'comparison' || (path !== 'rl.starts' && !path.startsWith('ablation.'));
}

/** Tasks in text are asked of checkpoints, tasks in tokens of models that the study trains from nothing. */
const possibleTasks = (field: SettingField, hasBase: boolean): SettingField =>
  field.path !== 'task.name'
    ? field
    : { ...field, choices: field.choices.filter(({ value }) => isTextTask(value as TaskName) === hasBase) };

/** The settings that count in this composition, with the preset's values as defaults. */
export function fieldsOf(composition: Composition): { groups: SettingGroup[]; defaults: StudySettings } {
  const hasBase = startsFromCheckpoint(composition);
  const defaults = presetSettings(composition.preset, hasBase);
  const all = settingGroups(defaults);
  const initials = new Map(all.flatMap(({ fields }) => fields.map(({ path, initial }) => [path, initial] as const)));
  const at = (path: string): string => composition.draft[path] ?? initials.get(path) ?? '';
  const situation = { protocol: defaults.preset, hasBase, at };
  const groups = all
    .map((group) => ({
      ...group,
      fields: group.fields.filter(({ path }) => counts(path, situation)).map((field) => possibleTasks(field, hasBase)),
    }))
    .filter(({ fields }) => fields.length > 0);
  return { groups, defaults };
}

/** Shown first, in this order, as far as they count. */
export const mainPaths = [
  ...['task.name', 'name', 'seeds', 'sft.steps', 'sft.endStep', 'sft.learningRate', 'sft.batchSize'],
  ...['sft.text.microBatchSize', 'rl.iterations', 'rl.starts', 'rl.anchorCoef', 'rl.text.algorithm'],
  ...['rl.text.iterations', 'rl.text.learningRate', 'rl.text.microBatchSize', 'ablation.controlReplicates'],
  ...['task.evaluationEpisodes', 'task.text.attempts', 'task.text.maxNewTokens'],
];

/** The composition that an address holds; what is not known is left out. */
export function compositionOf(query: LocationQuery): Composition {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '');
  const known = new Set(settingGroups().flatMap(({ fields }) => fields.map(({ path }) => path)));
  const draft: Draft = {};
  for (const [path, value] of Object.entries(query))
    if (known.has(path) && typeof value === 'string') draft[path] = value;
  return { preset: presetOf(text('preset')), baseId: text('base'), draft };
}

/** The address of a composition: what differs from the preset. */
export function queryOf({ preset, baseId, draft }: Composition, groups: SettingGroup[]): Record<string, string> {
  const query: Record<string, string> = {};
  if (preset !== settingsPresets[0]) query['preset'] = preset.id;
  if (baseId !== '' && preset.base !== 'none') query['base'] = baseId;
  for (const { path, initial } of groups.flatMap(({ fields }) => fields)) {
    const typed = draft[path];
    if (typed !== undefined && typed !== initial) query[path] = typed;
  }
  return query;
}

/** Micro-batches that take less memory, largest first: both halved until both are 1. */
export function smallerMicroBatches({ sft, rl }: StudySettings): Draft[] {
  const drafts: Draft[] = [];
  let [ofSft, ofRl] = [sft.text.microBatchSize, rl.text.microBatchSize ?? rl.text.minibatchSize];
  while (ofSft > 1 || ofRl > 1) {
    [ofSft, ofRl] = [Math.max(1, Math.floor(ofSft / 2)), Math.max(1, Math.floor(ofRl / 2))];
    drafts.push({ 'sft.text.microBatchSize': String(ofSft), 'rl.text.microBatchSize': String(ofRl) });
  }
  return drafts;
}

/** The composition that gives these settings: of the presets of their protocol the one from which the fewest differ. */
export function compositionFromSettings(settings: StudySettings, baseId: string): Composition {
  const hasBase = settings.base !== null;
  const compositions = settingsPresets
    .filter((preset) => preset.settings.preset === settings.preset && preset.base !== (hasBase ? 'none' : 'required'))
    .map((preset) => {
      const draft = draftFromSettings(settings, settingGroups(presetSettings(preset, hasBase)));
      return { preset, baseId, draft };
    });
  const changes = ({ draft }: Composition): number => Object.keys(draft).length;
  return compositions.sort((a, b) => changes(a) - changes(b))[0]!;
}
