/** Which ranks (indices of singular values, 0 = largest) an edit touches. */
import { AppError } from '../../contract/errors.ts';
import type { RankSelection } from '../../contract/sweeps.ts';

/** Ascending. @throws INVALID_REQUEST a count is negative or not an integer */
export function selectRanks(rank: number, selection?: RankSelection | null): number[] {
  const all = Array.from({ length: rank }, (_, i) => i);
  if (!selection) return all;
  const { top = 0, bottom = 0, band: [from, to] = [0, 0] } = selection;
  for (const count of [top, bottom, from, to])
    if (!Number.isInteger(count) || count < 0)
      throw new AppError('INVALID_REQUEST', `A rank has to be a whole number from 0 on, not ${count}.`, {
        hint: 'Give top, bottom, or a band [from, to) of ranks.',
      });
  return all.filter((i) => i < top || i >= rank - bottom || (i >= from && i < to));
}
