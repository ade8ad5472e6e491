/** The settings of `rotascope study`: the preset, a file, --set, then --base, --task, --seeds; the contract's defaults for the rest. */
import { readFileSync } from 'node:fs';
import { AppError } from '../contract/errors.ts';
import { settingsPresets } from '../contract/presets.ts';
import { studySettingsSchema } from '../contract/settings.ts';
import type { StudySettings } from '../contract/settings.ts';

export interface SettingsOptions {
  /** Of `settingsPresets`. */
  preset?: string;
  /** Folder of the checkpoint to start from. */
  base?: string;
  task?: string;
  settings?: string;
  set: string[];
  seeds?: number[];
}

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function readSettingsFile(file: string): Tree {
  const hint = 'It holds the settings of a study as JSON, e.g. {"rl": {"iterations": 10}}.';
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isTree(value)) return value;
  } catch (cause) {
    throw new AppError('INVALID_REQUEST', `The settings file ${file} cannot be read.`, { hint, cause });
  }
  throw new AppError('INVALID_REQUEST', `The settings file ${file} is not an object.`, { hint });
}

/** "10" and "[0, 5]" are JSON; anything else is text. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `rl.iterations=10` into a copy of the tree. @throws INVALID_REQUEST */
function assign(tree: Tree, assignment: string): Tree {
  const [, path, value] = /^([A-Za-z0-9.]+)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined || value === undefined)
    throw new AppError('INVALID_REQUEST', `--set ${assignment} is not NAME=VALUE.`, {
      hint: 'E.g. --set rl.iterations=10',
    });
  const names = path.split('.');
  const copy = structuredClone(tree);
  let place = copy;
  for (const name of names.slice(0, -1)) {
    const inner = Object.hasOwn(place, name) ? place[name] : undefined;
    place = place[name] = isTree(inner) ? inner : {};
  }
  place[names.at(-1)!] = parseValue(value);
  return copy;
}

/** `over` where it says something, section by section. */
function merged(under: Tree, over: Tree): Tree {
  const both = { ...under, ...over };
  for (const [name, value] of Object.entries(over)) {
    const below = Object.hasOwn(under, name) ? under[name] : undefined;
    if (isTree(value) && isTree(below)) both[name] = merged(below, value);
  }
  return both;
}

/** Names in `given` that the schema does not know: a typing error must not run the default study. */
function unknownNames(given: Tree, known: Tree, path = ''): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    if (!Object.hasOwn(known, name)) return [`${path}${name}`];
    const inner = known[name];
    return isTree(value) && isTree(inner) ? unknownNames(value, inner, `${path}${name}.`) : [];
  });
}

/** @throws INVALID_REQUEST naming the first setting that is wrong or unknown */
export function resolveSettings(options: SettingsOptions): StudySettings {
  const preset = settingsPresets.find(({ id }) => id === options.preset)?.settings ?? {};
  let tree = merged({ ...preset }, options.settings ? readSettingsFile(options.settings) : {});
  for (const assignment of options.set) tree = assign(tree, assignment);
  if (options.task !== undefined) tree = merged(tree, { task: { name: options.task } });
  if (options.base !== undefined) tree = { ...tree, base: { folder: options.base } };
  if (options.seeds) tree = { ...tree, seeds: options.seeds };
  // The protocol is the one that was asked for, whatever the file says.
  if ('preset' in preset) tree = { ...tree, preset: preset.preset };
  const parsed = studySettingsSchema.safeParse(tree);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new AppError(
      'INVALID_REQUEST',
      `The setting ${issue!.path.join('.')} is not valid: ${issue!.message.replace(/\.$/, '')}.`,
      {
        hint: 'Correct it and try again.',
      },
    );
  }
  const [unknown] = unknownNames(tree, parsed.data);
  if (unknown)
    throw new AppError('INVALID_REQUEST', `There is no setting ${unknown}.`, {
      hint: 'See main/contract/settings.ts.',
    });
  return parsed.data;
}
