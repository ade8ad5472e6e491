/** Questions of the token tasks: one episode made of what was typed, answered in the words of the task. */
import type { PlayField } from '../../contract/play.ts';
import { taskSettingsSchema } from '../../contract/settings.ts';
import { whyNotAsked } from '../evaluation/canEvaluate.ts';
import type { Philox } from '../random/philox.ts';
import type { Episode, Split, Task, Verdict } from '../tasks/task.ts';
import type { PlayTask } from './playTask.ts';
import { watchedAnswer } from './watchedAnswer.ts';

/** What a token task adds to itself. */
export interface TokenQuestion {
  label: string;
  fields: PlayField[];
  rules: Record<Split, string>;
  example(random: Philox): Record<string, string>;
  /** `solvable` false: `answer` is padding, no answer is right. @throws INVALID_REQUEST naming the field that is wrong */
  episode(inputs: Record<string, string>, split: Split): Episode & { solvable: boolean };
  /** @param words of the answer up to its end */
  reason(episode: Episode, words: readonly string[], verdict: Verdict): string;
}

export function tokenPlay(task: Task, question: TokenQuestion): PlayTask {
  const settings = taskSettingsSchema.parse({ name: task.name });
  const { label, fields, rules } = question;
  const wordOf = (id: number): string => task.vocabulary[id]!;
  const wordsOf = (tokens: ArrayLike<number>): string =>
    Array.from(tokens)
      .filter((id) => id !== task.padId)
      .map(wordOf)
      .join(' ');
  return {
    ...{ name: task.name, label, fields, rules, inText: false },
    example: (random) => question.example(random),
    whyNot: (checkpoint) => whyNotAsked(checkpoint, settings),
    async ask(asked, { split, inputs, ...drawing }, watching) {
      const episode = question.episode(inputs, split);
      const { promptLength, answerLength, eosId } = task;
      const model = await asked.model(promptLength, answerLength, watching.signal);
      const { ids, tokens } = await watchedAnswer(
        model,
        {
          ...{ prompt: [...episode.prompt], newTokens: answerLength, stopIds: [eosId] },
          ...{ pieceOf: wordOf, textOf: wordOf, stepAt: (index) => task.steps[index]! },
        },
        drawing,
        watching,
      );
      const words = ids.map(wordOf);
      const verdict = task.verify(episode, ids);
      return {
        prompt: wordsOf(episode.prompt),
        promptTokens: promptLength,
        positions: model.config.maxPositionEmbeddings,
        tokens,
        ended: ids.at(-1) === eosId,
        verdict: {
          correct: verdict.correct,
          reason: question.reason(episode, words, verdict),
          expected: episode.solvable ? wordsOf(episode.answer) : null,
        },
      };
    },
  };
}
