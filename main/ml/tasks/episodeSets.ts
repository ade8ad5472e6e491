/** Training, held-out and matched episodes of a task, from a way to draw its problems. Every draw is named by its seed. */
import { AppError } from '../../contract/errors.ts';
import { Philox } from '../random/philox.ts';
import { distinctProblems, isHeldOut } from './heldOut.ts';
import type { Split } from './task.ts';
import type { ProblemKeys, TextEpisode, TextTask } from './textTask.ts';

export interface ProblemSource<Problem> {
  readonly name: string;
  /** Share of problems held out from training, in 0..1. */
  readonly testShare: number;
  /** One problem of a split; null when it cannot be used (an unsolvable hand). */
  draw(split: Split, random: Philox): Problem | null;
  keys(problem: Problem): ProblemKeys;
  /** The problem as it is held out: all problems of equal text are on one side, under either rule. */
  heldOutKey(problem: Problem): string;
  /** The problem under the other rule, or null when it cannot be put so; null: the splits differ in more than a rule. */
  underOtherRule: ((problem: Problem, random: Philox) => Problem | null) | null;
}

type Episodes<Problem> = Pick<TextTask<Problem>, 'heldOutEpisodes' | 'matchedEpisodes' | 'trainingEpisode'>;

/** Far more than any task needs: about 1 draw in 1.6 is used. */
const drawsPerTrainingEpisode = 100_000;

export function episodeSets<Problem>(source: ProblemSource<Problem>): Episodes<Problem> {
  const { name, testShare } = source;
  const heldOut = (problem: Problem): boolean => isHeldOut(source.heldOutKey(problem), testShare);
  const episodeOf = (split: Split, problem: Problem): TextEpisode<Problem> => ({
    task: name,
    split,
    keys: source.keys(problem),
    problem,
  });
  return {
    heldOutEpisodes(split, count, seed) {
      const draw = (i: number): Problem | null => {
        const problem = source.draw(split, new Philox(seed, name, 'held out', split, i));
        return problem !== null && heldOut(problem) ? problem : null;
      };
      const problems = distinctProblems(count, (problem) => source.keys(problem).ordered, draw);
      return problems.map((problem) => episodeOf(split, problem));
    },

    matchedEpisodes(count, seed) {
      const { underOtherRule } = source;
      if (underOtherRule === null)
        throw new AppError('INVALID_REQUEST', `The splits of the task ${name} differ in size, not in a rule.`, {
          hint: 'Use the held-out sets of both splits; matched sets exist for generalPoints and navigation.',
        });
      const draw = (i: number): { inDist: Problem; ood: Problem } | null => {
        const random = new Philox(seed, name, 'matched', i);
        const ood = source.draw('ood', random);
        if (ood === null || !heldOut(ood)) return null;
        const inDist = underOtherRule(ood, random);
        return inDist === null ? null : { inDist, ood };
      };
      const pairs = distinctProblems(count, ({ ood }) => source.keys(ood).ordered, draw);
      return {
        inDist: pairs.map(({ inDist }) => episodeOf('inDist', inDist)),
        ood: pairs.map(({ ood }) => episodeOf('ood', ood)),
      };
    },

    trainingEpisode(split, random) {
      for (let i = 0; i < drawsPerTrainingEpisode; i++) {
        const problem = source.draw(split, random);
        if (problem !== null && !heldOut(problem)) return episodeOf(split, problem);
      }
      throw new AppError('INVALID_REQUEST', `The task ${name} has no problem left to train on at share ${testShare}.`, {
        hint: 'Hold out a smaller share.',
      });
    },
  };
}
