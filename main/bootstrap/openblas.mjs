/** OpenBLAS with LAPACK (symbols prefixed `scipy_`) out of its Python wheel, for SVDs on the CPU. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { downloadsFolder, ensurePart } from './cachedPart.mjs';
import { downloadWheel, wheels } from './wheels.mjs';
import { extractMembers } from './wheelArchive.mjs';

export const openblasPart = `openblas-${wheels.openblas.version}-${process.platform}-${process.arch}`;
export const openblasFile = 'lib/libscipy_openblas.so';

/**
 * @param {import('./cachedPart.mjs').OnProgress} onProgress
 * @throws {import('./stepFailure.mjs').StepFailure}
 */
export function ensureOpenblas(onProgress) {
  const wheel = wheels.openblas;
  return ensurePart(
    openblasPart,
    async (partial) => {
      const archive = await downloadWheel(wheel, downloadsFolder(), (doneBytes, totalBytes) =>
        onProgress({ step: `Downloading OpenBLAS ${wheel.version}`, doneBytes, totalBytes }),
      );
      const library = /^scipy_openblas32\/(lib\/[^/]+\.so[.\d]*)$/;
      const files = await extractMembers(
        archive,
        partial,
        (name) => library.exec(name)?.[1] ?? null,
        () => {},
      );
      rmSync(join(downloadsFolder(), wheel.file), { force: true });
      return { wheels: [wheel.file], files };
    },
    onProgress,
  );
}
