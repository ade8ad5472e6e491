/**
 * A form made from the settings themselves: one field a leaf, grouped by section, text in and the schema's own messages
 * out. Whoever adds a setting to the schema has it in the form.
 */
import {
  miniatureTaskNames,
  rlArmLabels,
  studySettingsSchema,
  textTaskLabels,
  type StudySettings,
} from '../../../main/contract/settings.ts';
import { wordsOf } from './settingWords.ts';

/** `optional...`: nothing typed is null. `set`: a list of listed values, each on or off. */
export type FieldKind = 'number' | 'optionalNumber' | 'text' | 'optionalText' | 'boolean' | 'list' | 'set' | 'choice';

export interface SettingField {
  /** "sft.learningRate". */
  path: string;
  label: string;
  unit: string;
  hint: string;
  kind: FieldKind;
  /** The default, as the field shows it. */
  initial: string;
  /** Of a choice or a set: value and what the user reads. */
  choices: { value: string; label: string }[];
}

export interface SettingGroup {
  name: string;
  label: string;
  fields: SettingField[];
}

/** Field path -> what the user typed; absent is the default. */
export type Draft = Record<string, string>;

const groupLabels: Record<string, string> = {
  '': 'Study',
  task: 'Task and evaluation',
  model: 'Model',
  pretrain: 'Pretraining',
  sft: 'SFT',
  rl: 'RL',
  ablation: 'Decomposition and ablations',
  comparison: 'Comparison of remedies',
  disk: 'Disk',
};

/** "valueLearningRate" -> "Value learning rate". */
export function labelOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Below this a number is written with its exponent: 1e-6. */
const leastPlain = 1e-4;

function asText(value: unknown): string {
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < leastPlain) return value.toExponential();
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  return value === null ? '' : text;
}

/** What zod offers of a schema here: what it wraps, its fields, its values, the items of a list. */
interface SchemaNode {
  unwrap?: () => SchemaNode;
  shape?: Record<string, SchemaNode>;
  options?: unknown[];
  element?: SchemaNode;
  def?: { type: string };
}

/** A list has an `unwrap` of its own, which gives its items: a list is no wrapper here. */
function unwrapped(node: SchemaNode, isNullable = false): { node: SchemaNode; isNullable: boolean } {
  if (node.unwrap === undefined || node.element !== undefined) return { node, isNullable };
  return unwrapped(node.unwrap(), isNullable || node.def?.type === 'nullable');
}

/** What the schema has at a path. */
function schemaAt(path: string): { node: SchemaNode; isNullable: boolean } {
  let found = unwrapped(studySettingsSchema as unknown as SchemaNode);
  for (const name of path.split('.')) found = unwrapped(found.node.shape?.[name] ?? {});
  return found;
}

const namedValues: Record<string, Record<string, string>> = {
  'task.name': { ...miniatureTaskNames, ...textTaskLabels },
  'rl.controlArms': rlArmLabels,
  'rl.algorithm': { ppo: 'PPO', grpo: 'GRPO' },
  'rl.text.algorithm': { ppo: 'PPO', grpo: 'GRPO' },
  'rl.text.valueHead': { linear: 'Linear', mlp: 'MLP' },
  'disk.dtype': { same: 'The type of the base', F32: 'F32' },
  'task.text.answerStyle': { published: 'Published', json: 'JSON' },
};

function choicesOf(options: unknown[] | undefined, path: string): SettingField['choices'] {
  const values = (options ?? []).filter((value) => typeof value === 'string');
  const labels = namedValues[path] ?? {};
  // Matrices keep their names.
  return values.map((value) => ({ value, label: labels[value] ?? (value.length < 3 ? value : labelOf(value)) }));
}

function fieldOf(path: string, label: string, value: unknown): SettingField {
  const { node, isNullable } = schemaAt(path);
  const { label: own, unit = '', hint = '' } = wordsOf(path);
  const field = { path, label: own ?? label, unit, hint, initial: asText(value), choices: [] };
  if (Array.isArray(value)) {
    // A list that takes numbers beside its words is typed.
    const items = node.element === undefined ? {} : unwrapped(node.element).node;
    const isSet = items.def?.type === 'enum';
    return isSet ? { ...field, kind: 'set', choices: choicesOf(items.options, path) } : { ...field, kind: 'list' };
  }
  if (typeof value === 'boolean') return { ...field, kind: 'boolean' };
  const choices = choicesOf(node.options, path);
  if (choices.length > 0) return { ...field, kind: 'choice', choices };
  const isText = node.def?.type === 'string';
  if (isNullable) return { ...field, kind: isText ? 'optionalText' : 'optionalNumber' };
  return { ...field, kind: isText ? 'text' : 'number' };
}

function leaves(section: Record<string, unknown>, prefix: string, labelPrefix: string): SettingField[] {
  return Object.entries(section).flatMap(([name, value]): SettingField[] => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (isSection(value) && name === 'text') return leaves(value, path, labelPrefix);
    const label = labelPrefix === '' ? labelOf(name) : `${labelPrefix}: ${labelOf(name).toLowerCase()}`;
    return isSection(value) ? leaves(value, path, label) : [fieldOf(path, label, value)];
  });
}

/** Every setting but the base, in the order of the schema. */
export function settingGroups(defaults: StudySettings = studySettingsSchema.parse({})): SettingGroup[] {
  const entries: [string, unknown][] = Object.entries(defaults).filter(([name]) => name !== 'base');
  const loose = Object.fromEntries(entries.filter(([, value]) => !isSection(value)));
  const sections = entries.filter((entry): entry is [string, Record<string, unknown>] => isSection(entry[1]));
  return [
    { name: '', label: groupLabels['']!, fields: leaves(loose, '', '') },
    ...sections.map(([name, section]) => ({
      name,
      label: groupLabels[name] ?? labelOf(name),
      fields: leaves(section, name, ''),
    })),
  ];
}

/** "0, 10, peak" -> [0, 10, 'peak']; a number that is none stays text, so that the schema can say so. */
function parseScalar(text: string): string | number {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return trimmed === '' || Number.isNaN(value) ? trimmed : value;
}

function parseField({ kind }: SettingField, text: string): unknown {
  switch (kind) {
    case 'boolean':
      return text === 'true';
    case 'list':
    case 'set':
      return text
        .split(/[\s,]+/)
        .filter((part) => part !== '')
        .map(parseScalar);
    case 'optionalNumber':
      return text.trim() === '' ? null : parseScalar(text);
    case 'optionalText':
      return text.trim() === '' ? null : text.trim();
    case 'number':
      return parseScalar(text);
    case 'text':
    case 'choice':
      return text;
  }
}

/** Settings as they would have been typed: only what differs from the defaults. */
export function draftFromSettings(settings: StudySettings, groups: SettingGroup[]): Draft {
  const draft: Draft = {};
  for (const { path, initial } of groups.flatMap(({ fields }) => fields)) {
    const value = path
      .split('.')
      .reduce<unknown>((section, key) => (isSection(section) ? section[key] : undefined), settings);
    const text = asText(value ?? null);
    if (text !== initial) draft[path] = text;
  }
  return draft;
}

export type DraftResult =
  | { ok: true; settings: StudySettings }
  /** Field path -> the schema's message. */
  | { ok: false; errors: Record<string, string> };

/**
 * Checks what was typed with the same schema that the engine uses.
 * @param groups the fields that count; what was typed into others is left out
 * @param defaults settings of everything else
 * @param base folder of the checkpoint to start from; null: none
 */
export function settingsFromDraft(
  draft: Draft,
  groups: SettingGroup[],
  defaults: StudySettings = studySettingsSchema.parse({}),
  base: string | null = null,
): DraftResult {
  const input = JSON.parse(JSON.stringify(defaults)) as Record<string, unknown>;
  input['base'] = base === null ? null : { folder: base };
  const fields = groups.flatMap((group) => group.fields);
  for (const field of fields) {
    const typed = draft[field.path];
    if (typed === undefined) continue;
    const keys = field.path.split('.');
    const last = keys.pop()!;
    let section = input;
    for (const key of keys) section = section[key] as Record<string, unknown>;
    section[last] = parseField(field, typed);
  }
  const parsed = studySettingsSchema.safeParse(input);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const paths = new Set(['base', ...fields.map(({ path }) => path)]);
  const errors: Record<string, string> = {};
  for (const { path, message } of parsed.error.issues) {
    // An issue inside a list belongs to the list's field.
    const keys = path.map(String);
    while (keys.length > 0 && !paths.has(keys.join('.'))) keys.pop();
    errors[keys.join('.')] ??= message;
  }
  return { ok: false, errors };
}
