/**
 * Settings of a study as a file: YAML (or JSON, which is YAML), the fields of contract/settings.ts, all optional. A field
 * that no setting has is refused: a misspelt one would otherwise run with its default.
 */
import { readFile, stat } from 'node:fs/promises';
import { parse } from 'yaml';
import { AppError } from '../contract/errors.ts';
import { studySettingsSchema } from '../contract/settings.ts';
import type { StudySettings } from '../contract/settings.ts';

export const settingsExtensions = ['.yaml', '.yml', '.rotascope'];
/** A file with every setting written out has 3 kB, bytes. */
const maxBytes = 256 * 1024;
const hint = 'Correct the file, then open it again. "New study" lists every setting.';

function refused(fact: string, cause?: unknown): AppError {
  return new AppError('INVALID_REQUEST', fact, { hint, ...(cause === undefined ? {} : { cause }) });
}

/** @throws INVALID_REQUEST naming what is wrong */
export async function readSettingsFile(path: string): Promise<StudySettings> {
  const file = await stat(path).catch(() => null);
  if (!file?.isFile()) throw refused('There is no file at this path.');
  if (file.size > maxBytes) throw refused(`The file has ${file.size} bytes; settings have ${maxBytes} at most.`);
  return parseSettings(await readFile(path, 'utf8'));
}

/** @throws INVALID_REQUEST naming line or setting */
export function parseSettings(text: string): StudySettings {
  if (text.length > maxBytes) throw refused(`The text is longer than ${maxBytes} characters.`);
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw refused(`The file is not YAML: ${(error as Error).message.split('\n')[0]}`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused('The file holds no settings: it has to begin with names such as "task:" or "sft:".');
  }
  const parsed = studySettingsSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(`${issue!.path.join('.')}: ${issue!.message}`);
  }
  const unknown = fieldsOutside(value, parsed.data);
  if (unknown.length > 0) throw refused(`No setting is called ${unknown.slice(0, 5).join(', ')}.`);
  return parsed.data;
}

/** Paths of fields that the schema did not take over. */
function fieldsOutside(given: object, taken: object, prefix = ''): string[] {
  return Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    const path = `${prefix}${name}`;
    if (!Object.hasOwn(taken, name)) return [path];
    const kept = (taken as Record<string, unknown>)[name];
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isSection && typeof kept === 'object' && kept !== null ? fieldsOutside(value, kept, `${path}.`) : [];
  });
}
