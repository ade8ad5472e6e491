/** Calls about the data folder and about how much of the machine may be used. */
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../contract/errors.ts';
import { storageKinds, type Storage, type StorageKind } from '../contract/storage.ts';
import { pointsFolder } from '../jobs/kinds/pointCache.ts';
import { decompositionsFolder } from '../ml/spectral/decompositionCache.ts';
import { spectralCacheFolder } from './analyses.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';

const cacheFolders = { decompositions: decompositionsFolder, points: pointsFolder } as const;

/** Of a file or folder directly in the data folder. */
function kindOf(name: string): StorageKind {
  if (name.startsWith('rotascope.sqlite')) return 'database';
  if (name.endsWith('.log')) return 'logs';
  return storageKinds.find((kind) => kind === name) ?? 'other';
}

interface Size {
  bytes: number;
  files: number;
}

/** Of all files below a folder. Links are not followed; what goes away meanwhile counts as absent. */
export async function folderSize(folder: string): Promise<Size> {
  const size = { bytes: 0, files: 0 };
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const { bytes, files } = entry.isDirectory() ? await folderSize(path) : await fileSize(path);
    size.bytes += bytes;
    size.files += files;
  }
  return size;
}
const fileSize = async (path: string): Promise<Size> => ({
  bytes: (await stat(path).catch(() => null))?.size ?? 0,
  files: 1,
});

async function storage(dataFolder: string): Promise<Storage> {
  const sizes = new Map<StorageKind, Size>(storageKinds.map((kind) => [kind, { bytes: 0, files: 0 }]));
  const add = (kind: StorageKind, { bytes, files }: Size): void => {
    const size = sizes.get(kind)!;
    size.bytes += bytes;
    size.files += files;
  };
  const cache = spectralCacheFolder(dataFolder);
  for (const [kind, folder] of Object.entries(cacheFolders)) add(kind as StorageKind, await folderSize(folder(cache)));
  for (const entry of await readdir(dataFolder, { withFileTypes: true })) {
    const path = join(dataFolder, entry.name);
    if (path !== cache) add(kindOf(entry.name), entry.isDirectory() ? await folderSize(path) : await fileSize(path));
  }
  const { bavail, bsize } = await statfs(dataFolder);
  const kinds = [...sizes].map(([kind, size]) => ({ kind, ...size }));
  return { dataFolder, diskFreeBytes: bavail * bsize, kinds };
}

export function storageHandlers({ store, dataFolder, events }: EngineContext): HandlerGroup {
  return {
    'app.storage': () => storage(dataFolder),
    'app.clearCaches': async ({ kinds }) => {
      const users = store.jobs.withState('queued', 'running').filter(({ kind }) => ['compare', 'sweep'].includes(kind));
      if (users.length > 0)
        throw new AppError('CONFLICT', `"${users[0]!.title}" uses what is kept.`, {
          hint: 'Wait until it has ended, or cancel it first.',
        });
      let freedBytes = 0;
      for (const kind of kinds) {
        const folder = cacheFolders[kind](spectralCacheFolder(dataFolder));
        freedBytes += (await folderSize(folder)).bytes;
        await rm(folder, { recursive: true, force: true });
      }
      events.publish({ type: 'app' });
      return { freedBytes };
    },
    'app.settings': () => store.app.engineSettings(),
    'app.setSettings': (settings) => {
      store.app.setEngineSettings(settings);
      events.publish({ type: 'app' });
      return settings;
    },
  };
}
