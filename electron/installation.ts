/**
 * Where the parts of this installation are: in a clone of the repository, or in a packaged app, whose archive holds the
 * shell and whose resources hold the engine as plain files. Knows nothing of Electron.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CrashReport } from './crashPage.ts';
import { projectFolderAround } from './engineCommand.ts';
import { engineFileFaults } from './engineFiles.ts';
import type { EngineFileList } from './engineFiles.ts';

/** 'out', or 'out/old' in the build for the old Electron: set by electron.vite.config.ts. */
declare const __OUT_FOLDER__: string;

export interface Installation {
  /** The engine's sources, packages and Node. */
  engineFolder: string;
  /** The built pages that the engine serves. */
  rendererFolder: string;
  preload: string;
  /** @returns what the window says when the engine's files are not those that were shipped; null when they are */
  verify(): Promise<CrashReport | null>;
}

/**
 * @param appPath as Electron gives it: the clone, a folder in its `out`, or `resources/app.asar`
 * @throws when a clone holds no engine
 */
export function installation(appPath: string, isPackaged: boolean): Installation {
  return isPackaged ? packagedApp(appPath) : clone(appPath);
}

function clone(appPath: string): Installation {
  const engineFolder = projectFolderAround(appPath);
  const out = join(engineFolder, __OUT_FOLDER__);
  return {
    engineFolder,
    rendererFolder: join(out, 'renderer'),
    preload: join(out, 'preload', 'preload.cjs'),
    verify: () => Promise.resolve(null),
  };
}

function packagedApp(appPath: string): Installation {
  const engineFolder = join(dirname(appPath), 'engine');
  return {
    engineFolder,
    rendererFolder: join(engineFolder, 'out', 'renderer'),
    preload: join(appPath, 'preload', 'preload.cjs'),
    verify: async () => {
      const list = JSON.parse(readFileSync(join(appPath, 'engineFiles.json'), 'utf8')) as EngineFileList;
      const lines = await engineFileFaults(engineFolder, list);
      if (lines.length === 0) return null;
      const count = lines.length === 1 ? 'A file of Rotascope is' : `${lines.length} files of Rotascope are`;
      const fact = `${count} not as shipped, so the engine was not started.`;
      const nextStep = 'Install Rotascope again. Data and checkpoints lie elsewhere and are not affected.';
      return { fact, nextStep, lines };
    },
  };
}
