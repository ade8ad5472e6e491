/** The settings of `rotascope study`: the preset, a file, --set, then --base, --task, --seeds; the contract's defaults for the rest. */
import { readFileSync } from 'node:fs';
import { AppError } from '../contract/errors.ts';
import { settingsPresets } from '../contract/presets.ts';
import type { StudySettings } from '../contract/settings.ts';
import { checkSettings, isTree, parseTree, type Tree } from '../studies/settingsFile.ts';

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

function readSettingsFile(file: string): Tree {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('INVALID_REQUEST', `The settings file ${file} cannot be read.`, {
      hint: 'Check the path and the permissions.',
      cause,
    });
  }
  return parseTree(text);
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
  return checkSettings(tree);
}
