/** Calls about paths that a user drops or gives: what is it, and what would happen to it? */
import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { FoundPath } from '../contract/api.ts';
import { toErrorShape } from '../contract/errors.ts';
import type { HandlerGroup } from './handlers.ts';
import { readSettingsFile, settingsExtensions } from '../studies/settingsFile.ts';
import { studyFileName } from './studyExchange/format.ts';
import { readStudyFile } from './studyExchange/importStudy.ts';

/** The folder of an exported study: the path, or the one that its `study.json` lies in; null for anything else. */
async function studyFolderOf(path: string): Promise<string | null> {
  if (basename(path) === studyFileName) return dirname(path);
  const isFile = async (name: string): Promise<boolean> =>
    (await stat(join(path, name)).catch(() => null))?.isFile() ?? false;
  // A checkpoint folder may carry any file beside its own.
  return (await isFile(studyFileName)) && !(await isFile('config.json')) ? path : null;
}

async function lookAt(given: string): Promise<FoundPath> {
  const path = resolve(given);
  try {
    if (settingsExtensions.includes(extname(path).toLowerCase())) {
      return { kind: 'settings', path, settings: await readSettingsFile(path) };
    }
    const folder = await studyFolderOf(path);
    if (folder === null) return { kind: 'checkpoints', path };
    const { name, settings, checkpoints } = await readStudyFile(folder);
    return { kind: 'study', path: folder, name, seeds: settings.seeds.length, checkpoints: checkpoints.length };
  } catch (error) {
    const { message, hint } = toErrorShape(error);
    return { kind: 'refused', path, text: [message, hint].filter(Boolean).join(' ') };
  }
}

export function fileHandlers(): HandlerGroup {
  return {
    'files.look': ({ paths }) => Promise.all(paths.map(lookAt)),
  };
}
