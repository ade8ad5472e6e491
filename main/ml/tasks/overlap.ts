/**
 * How much of a held-out set stands in training data: by problem without order (multisets) and by problem as asked
 * (ordered prompts, under either rule). 0 for data of our own; imported data are counted, and are used all the same.
 */
import type { Overlap } from '../../contract/samples.ts';
import type { ProblemKeys, TextEpisode, TextExample, TextTask } from './textTask.ts';

export function overlapWithTraining(
  task: TextTask,
  training: Iterable<Pick<TextExample, 'prompt'>>,
  heldOut: readonly TextEpisode[],
): Overlap {
  const multisets = new Set<string>();
  const ordered = new Set<string>();
  let unreadExamples = 0;
  for (const { prompt } of training) {
    const keys = task.keysOfPrompt(prompt);
    if (keys === null) {
      unreadExamples++;
      continue;
    }
    multisets.add(keys.multiset);
    ordered.add(keys.ordered);
  }
  const shared = (key: keyof ProblemKeys, seen: Set<string>): number =>
    heldOut.filter(({ keys }) => seen.has(keys[key])).length;
  return {
    episodes: heldOut.length,
    sharedMultisets: shared('multiset', multisets),
    sharedPrompts: shared('ordered', ordered),
    trainingMultisets: multisets.size,
    trainingPrompts: ordered.size,
    unreadExamples,
  };
}
