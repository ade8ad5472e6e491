/** The settings of `rotascope study`: a file, then --set, then --seeds; the contract's defaults for the rest. */
import { readFileSync } from 'node:fs';
import { AppError } from '../contract/errors.ts';
import { studyPresetNames } from '../contract/settings.ts';
import type { StudyPreset, StudySettings } from '../contract/settings.ts';
import { checkSettings, isTree, parseTree, type Tree } from '../studies/settingsFile.ts';

export interface SettingsOptions {
  preset?: StudyPreset;
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

/** @throws INVALID_REQUEST naming the first setting that is wrong or unknown */
export function resolveSettings(options: SettingsOptions): StudySettings {
  let tree: Tree = options.settings ? readSettingsFile(options.settings) : {};
  for (const assignment of options.set) tree = assign(tree, assignment);
  if (options.seeds) tree = { ...tree, seeds: options.seeds };
  if (options.preset) tree = { name: studyPresetNames[options.preset], ...tree, preset: options.preset };
  return checkSettings(tree);
}
