/**
 * The settings of a study as a file that people keep and edit: YAML (JSON is YAML too), every parameter with its value. What is
 * left out has its default; a name that is not known is refused, so that a typing error does not run another study.
 */
import { readFile, stat } from 'node:fs/promises';
import { parse, stringify, YAMLParseError } from 'yaml';
import { AppError } from '../contract/errors.ts';
import { studySettingsSchema, type StudySettings } from '../contract/settings.ts';

export type Tree = Record<string, unknown>;
export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** More than any settings; a wrong file must not fill the memory, characters. */
const maxLength = 1_000_000;
const hint = 'It holds the settings of a study as YAML or JSON, e.g. rl: {iterations: 10}.';

/** @throws INVALID_REQUEST with the line where it is no YAML, or when it is no object */
export function parseTree(text: string): Tree {
  if (text.length > maxLength)
    throw new AppError('INVALID_REQUEST', 'The settings file is longer than a million characters.', { hint });
  let value: unknown;
  try {
    // Aliases may multiply what a short text holds.
    value = parse(text, { maxAliasCount: 0 }) ?? {};
  } catch (cause) {
    const line = cause instanceof YAMLParseError ? cause.linePos?.[0].line : undefined;
    const where = line === undefined ? '' : ` at line ${line}`;
    throw new AppError('INVALID_REQUEST', `The settings file is not valid YAML${where}.`, { hint, cause });
  }
  if (isTree(value)) return value;
  throw new AppError('INVALID_REQUEST', 'The settings file is not an object.', { hint });
}

function unknownNames(given: Tree, known: Tree, path = ''): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    if (!Object.hasOwn(known, name)) return [`${path}${name}`];
    const inner = known[name];
    return isTree(value) && isTree(inner) ? unknownNames(value, inner, `${path}${name}.`) : [];
  });
}

/** @throws INVALID_REQUEST naming the first setting that is wrong or unknown */
export function checkSettings(tree: Tree): StudySettings {
  const parsed = studySettingsSchema.safeParse(tree);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const reason = issue!.message.replace(/\.$/, '');
    throw new AppError('INVALID_REQUEST', `The setting ${issue!.path.join('.')} is not valid: ${reason}.`, {
      hint: 'Correct it and try again.',
    });
  }
  const [unknown] = unknownNames(tree, parsed.data);
  if (unknown)
    throw new AppError('INVALID_REQUEST', `There is no setting ${unknown}.`, {
      hint: 'See main/contract/settings.ts.',
    });
  return parsed.data;
}

export const readSettings = (text: string): StudySettings => checkSettings(parseTree(text));

export const settingsExtensions = ['.yaml', '.yml', '.rotascope'];

/** @throws INVALID_REQUEST naming what is wrong */
export async function readSettingsFile(path: string): Promise<StudySettings> {
  const file = await stat(path).catch(() => null);
  if (!file?.isFile()) throw new AppError('INVALID_REQUEST', 'There is no file at this path.', { hint });
  if (file.size > maxLength)
    throw new AppError('INVALID_REQUEST', `The settings file has ${file.size} bytes, not a million at most.`, { hint });
  return readSettings(await readFile(path, 'utf8'));
}

/** Read again, the same settings. */
export function writeSettings(settings: StudySettings): string {
  const head = `# Settings of a Rotascope study. Run it: rotascope study ${settings.preset} --settings FILE\n`;
  return `${head}${stringify(settings, { lineWidth: 120, flowCollectionPadding: false })}`;
}
