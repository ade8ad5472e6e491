/**
 * Which problems are held out from all training, and sets of distinct problems.
 * The hash is of the problem and of nothing else: no seed, split or order moves a problem from one share to the other.
 */
import { AppError } from '../../contract/errors.ts';
import { Philox } from '../random/philox.ts';

/** Share of the problems that no training sees. */
export const defaultTestShare = 0.2;

/** @param problem text of the problem under which it is held out. @param share in 0..1 */
export function isHeldOut(problem: string, share: number): boolean {
  return new Philox('held out', problem).uniform() < share;
}

/** Draws before a set counts as exhausted: far more than the last problem of a small share needs to be met. */
const drawsPerProblem = 400;

/**
 * The first `count` distinct problems of a stream of draws, in the order of the stream.
 * @param draw the i-th draw, or null when it is not wanted
 * @throws INVALID_REQUEST the draws have fewer distinct problems
 */
export function distinctProblems<T>(count: number, key: (problem: T) => string, draw: (i: number) => T | null): T[] {
  const found = new Map<string, T>();
  const limit = drawsPerProblem * (count + 10);
  for (let i = 0; found.size < count && i < limit; i++) {
    const problem = draw(i);
    if (problem !== null && !found.has(key(problem))) found.set(key(problem), problem);
  }
  if (found.size < count) {
    const message = `${count} held-out problems were asked for, and the held-out share has about ${found.size}.`;
    throw new AppError('INVALID_REQUEST', message, { hint: 'Ask for fewer episodes or hold out a larger share.' });
  }
  return [...found.values()];
}
