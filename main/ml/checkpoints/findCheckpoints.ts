/** Every checkpoint that a list of paths means: folders are searched, a shard stands for its whole checkpoint. */
import { join } from 'node:path';
import { importFault } from './importCodes.ts';
import {
  type CheckpointPlace,
  type FolderContents,
  contentsOf,
  listFolder,
  locateFile,
  lookAt,
  noWeightsFault,
} from './locateCheckpoint.ts';

/** A trainer's output folder has its checkpoints one level down, a cache three. */
const maxDepth = 6;
const maxFolders = 5_000;
const maxFound = 1_000;

/** A checkpoint, or why there is none, at a path. */
export type Found = { path: string } & ({ place: CheckpointPlace } | { fault: unknown });

/**
 * @param path as the user gave it, absolute
 * @returns at least one; in the order of names, a folder's own checkpoint before those below it
 */
export async function findCheckpoints(path: string): Promise<Found[]> {
  try {
    const { real, isFolder } = await lookAt(path);
    if (!isFolder) return [{ path, place: await locateFile(real) }];
    return await searchFolder(path, real);
  } catch (fault) {
    return [{ path, fault }];
  }
}

async function searchFolder(path: string, real: string): Promise<Found[]> {
  const found: Found[] = [];
  const waiting = [{ path, real, depth: 0 }];
  let top: FolderContents | null = null;
  let foreign: string | null = null;
  let visited = 0;
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    if (++visited > maxFolders || found.length > maxFound) {
      found.push({ path, fault: importFault('too_many_files', path) });
      break;
    }
    const { path: shown, real: root, depth } = folder;
    let contents: FolderContents;
    try {
      const listing = await listFolder(root);
      contents = contentsOf(root, listing);
      const below = depth < maxDepth ? listing.folders.filter((name) => !name.startsWith('.')) : [];
      waiting.unshift(...below.map((name) => ({ path: join(shown, name), real: join(root, name), depth: depth + 1 })));
    } catch (fault) {
      found.push({ path: shown, fault });
      continue;
    }
    top ??= contents;
    found.push(...foundIn(shown, contents));
    if (contents.kind === 'noWeights') foreign ??= contents.foreign;
  }
  if (found.length > 0) return found;
  // Nothing anywhere: the folder itself says why, or the first file of another format below it.
  const contents = top?.kind === 'noWeights' ? top : { kind: 'noWeights' as const, empty: false, hasConfig: false };
  return [{ path, fault: noWeightsFault(path, { ...contents, foreign }) }];
}

function foundIn(path: string, contents: FolderContents): Found[] {
  switch (contents.kind) {
    case 'checkpoint':
      return [{ path, place: contents.place }];
    case 'files':
      return contents.places.map((place) => ({ path: join(path, place.file), place }));
    case 'shardsWithoutIndex':
      return [{ path, fault: importFault('missing_index', contents.shard) }];
    case 'noWeights':
      return [];
  }
}
