/** Comparisons of checkpoints: the list, the one that is open, and the curves of matrices looked at. */
import { defineStore } from 'pinia';
import type { CallAnswer, CallInput } from '../../main/contract/api.ts';
import type { SpectralComparison, SpectralResult } from '../../main/contract/spectral.ts';
import { call } from '../engine/engine.ts';
import { resultList } from './resultList.ts';
import type { CellAddress } from './ui.ts';

export type SpectraOrderInput = CallInput<'spectra.start'>;
export type SpectraEstimate = CallAnswer<'spectra.estimate'>;
export type MatrixInDetail = CallAnswer<'spectra.matrix'>;

/** Matrices whose curves stay in memory: a few hundred kB each for a large model. */
const keptMatrices = 48;

export const useSpectra = defineStore('spectra', () => {
  const {
    put,
    remove: removeById,
    ...list
  } = resultList<SpectralComparison, SpectralResult>({
    event: 'spectra',
    list: () => call('spectra.list', {}),
    get: (id) => call('spectra.get', { id }),
    itemOf: ({ rows: _, provenance: __, ...comparison }) => comparison,
    remove: (id) => call('spectra.remove', { id }),
    restore: (id) => call('spectra.restore', { id }),
  });
  const matrices = new Map<string, MatrixInDetail>();

  /** Curves of one matrix; those looked at lately are answered at once. @throws NOT_FOUND it is not done, or gone */
  async function matrix({ id, target, weight }: CellAddress): Promise<MatrixInDetail> {
    const key = JSON.stringify([id, target, weight]);
    const detail = matrices.get(key) ?? (await call('spectra.matrix', { id, target, weight }));
    matrices.delete(key);
    matrices.set(key, detail);
    for (const oldest of matrices.keys()) {
      if (matrices.size <= keptMatrices) break;
      matrices.delete(oldest);
    }
    return detail;
  }

  const estimate = (order: SpectraOrderInput): Promise<SpectraEstimate> => call('spectra.estimate', order);
  const start = async (order: SpectraOrderInput): Promise<SpectralComparison> =>
    put(await call('spectra.start', order));
  /** The same order again: it goes on where it stopped. */
  const resume = ({ reference, targets, restoration, settings }: SpectralComparison): Promise<SpectralComparison> =>
    start({
      referenceId: reference.id,
      targetIds: targets.map(({ id }) => id),
      restorationId: restoration?.id ?? null,
      settings,
    });
  const remove = ({ id }: SpectralComparison): Promise<void> => removeById(id, 'Removed the comparison.');

  return { ...list, matrix, estimate, start, resume, remove };
});
