/** The built products that the suites run: made when the sources are others than last time, reused otherwise. */
import { join } from 'node:path';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { ensureBuild } from '../../main/bootstrap/uiBuild.mjs';

export type BuildMode = 'production' | 'old';

/** @returns the folder of the build, absolute: main, preload and renderer are in it */
export async function built(mode: BuildMode): Promise<string> {
  await ensureBuild(mode, () => undefined);
  return join(repositoryFolder, mode === 'old' ? 'out/old' : 'out');
}
