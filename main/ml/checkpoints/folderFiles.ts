/** Files of a checkpoint's folder, by plain name, never outside it. */
import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { decodeUtf8 } from '../safetensors/reader.ts';
import { openFault, openRegularFile, readExactly } from '../safetensors/regularFile.ts';
import { type ImportFaultCode, importFault } from './importCodes.ts';

/**
 * The real path of a file of a folder. A link is followed only when it stays in the folder, or in the `blobs` of the
 * same model in a Hugging Face cache, whose snapshots are links into them.
 * @param root real path of the folder
 * @param name a plain file name
 * @returns null when there is no such file
 * @throws CHECKPOINT_INVALID link_leaves_folder
 */
export async function fileOfFolder(root: string, name: string): Promise<string | null> {
  const path = join(root, name);
  try {
    if (!(await lstat(path)).isSymbolicLink()) return path;
    const target = await realpath(path);
    if (allowedRoots(root).some((allowed) => target.startsWith(allowed + sep))) return target;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw openFault(error, name);
  }
  throw importFault('link_leaves_folder', name);
}

/** `models--org--name/snapshots/<commit>` may use `models--org--name/blobs`. */
function allowedRoots(root: string): string[] {
  const snapshots = dirname(root);
  const model = dirname(snapshots);
  const inCache = basename(snapshots) === 'snapshots' && basename(model).startsWith('models--');
  return inCache ? [root, join(model, 'blobs')] : [root];
}

/**
 * A whole text file of bounded size.
 * @param tooLarge the import code for a file over `maxBytes`
 */
export async function readTextFile(
  path: string,
  name: string,
  maxBytes: number,
  tooLarge: ImportFaultCode,
): Promise<string> {
  const { handle, bytes } = await openRegularFile(path, name);
  try {
    if (bytes > maxBytes) throw importFault(tooLarge, name, `${bytes.toLocaleString('en')} bytes are too many`);
    return decodeUtf8(await readExactly(handle, 0, bytes, name), name);
  } finally {
    await handle.close();
  }
}
