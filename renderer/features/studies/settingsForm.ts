/**
 * A form made from the settings themselves: one field a leaf, grouped by section, text in and the schema's own messages
 * out. Whoever adds a setting to the schema has it in the form.
 */
import {
  miniatureTaskNames,
  studyPresetNames,
  studySettingsSchema,
  type StudySettings,
} from '../../../main/contract/settings.ts';

/** `optionalNumber`: nothing typed is null. */
export type FieldKind = 'number' | 'optionalNumber' | 'text' | 'boolean' | 'list' | 'choice';

export interface SettingField {
  /** "sft.learningRate". */
  path: string;
  label: string;
  kind: FieldKind;
  /** The default, as the field shows it. */
  initial: string;
  /** Of a choice: value and what the user reads. */
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
};

/** "valueLearningRate" -> "Value learning rate". */
export function labelOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function asText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  return value === null ? '' : text;
}

function kindOf(value: unknown, choices: SettingField['choices']): FieldKind {
  if (choices.length > 0) return 'choice';
  if (value === null) return 'optionalNumber';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'number' ? 'number' : 'text';
}

/** What zod offers of a schema here: what it wraps, its fields, its values. */
interface SchemaNode {
  unwrap?: () => SchemaNode;
  shape?: Record<string, SchemaNode>;
  options?: unknown[];
}

/** The values that the schema allows at a path, where they are listed; none where anything may be typed. */
function choicesAt(path: string): SettingField['choices'] {
  const inner = (node: SchemaNode): SchemaNode => (node.unwrap ? inner(node.unwrap()) : node);
  let node = inner(studySettingsSchema as unknown as SchemaNode);
  for (const name of path.split('.')) {
    const next = node.shape?.[name];
    if (next === undefined) return [];
    node = inner(next);
  }
  const values = (node.options ?? []).filter((value) => typeof value === 'string');
  const named: Record<string, Record<string, string>> = { preset: studyPresetNames, 'task.name': miniatureTaskNames };
  const labels = named[path] ?? {};
  return values.map((value) => ({ value, label: labels[value] ?? labelOf(value) }));
}

function leaves(section: Record<string, unknown>, prefix: string, labelPrefix: string): SettingField[] {
  return Object.entries(section).flatMap(([name, value]): SettingField[] => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const label = labelPrefix === '' ? labelOf(name) : `${labelPrefix}: ${labelOf(name).toLowerCase()}`;
    if (isSection(value)) return leaves(value, path, label);
    const choices = typeof value === 'string' ? choicesAt(path) : [];
    return [{ path, label, kind: kindOf(value, choices), initial: asText(value), choices }];
  });
}

/** Every setting, in the order of the schema. */
export function settingGroups(defaults: StudySettings = studySettingsSchema.parse({})): SettingGroup[] {
  const entries: [string, unknown][] = Object.entries(defaults);
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
  if (kind === 'boolean') return text === 'true';
  if (kind === 'list')
    return text
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .map(parseScalar);
  if (kind === 'optionalNumber') return text.trim() === '' ? null : parseScalar(text);
  return kind === 'number' ? parseScalar(text) : text;
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

/** Checks what was typed with the same schema that the engine uses. */
export function settingsFromDraft(draft: Draft, groups: SettingGroup[]): DraftResult {
  const input: Record<string, unknown> = {};
  for (const field of groups.flatMap(({ fields }) => fields)) {
    const keys = field.path.split('.');
    const last = keys.pop()!;
    let section = input;
    for (const key of keys) section = (section[key] ??= {}) as Record<string, unknown>;
    section[last] = parseField(field, draft[field.path] ?? field.initial);
  }
  const parsed = studySettingsSchema.safeParse(input);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const paths = new Set(groups.flatMap(({ fields }) => fields.map(({ path }) => path)));
  const errors: Record<string, string> = {};
  for (const { path, message } of parsed.error.issues) {
    // An issue inside a list belongs to the list's field.
    const keys = path.map(String);
    while (keys.length > 0 && !paths.has(keys.join('.'))) keys.pop();
    errors[keys.join('.')] ??= message;
  }
  return { ok: false, errors };
}
