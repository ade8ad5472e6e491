/**
 * Questions of the tasks in text: the prompt that an evaluation would put, through the checkpoint's chat template, and the
 * verdict of the task's own checker. A typed problem may be one that training has seen: the page says that it is no evaluation.
 */
import type { PlayField, PlayTaskInfo } from '../../contract/play.ts';
import { type TextTaskName, textTaskLabels } from '../../contract/settings.ts';
import type { Philox } from '../random/philox.ts';
import type { Split } from '../tasks/task.ts';
import type { TextEpisode, TextTask, TextVerdict } from '../tasks/textTask.ts';
import type { PlayTask } from './playTask.ts';
import { spokenAnswer, whyNotSpokenTo } from './spokenAnswer.ts';

/** What a task in text adds to itself. */
export interface TextQuestion {
  name: TextTaskName;
  fields: PlayField[];
  /** Null where the splits differ in the problem, not in a rule. */
  rules: PlayTaskInfo['rules'];
  example(random: Philox): Record<string, string>;
  /** @throws INVALID_REQUEST naming the field that is wrong */
  ask(inputs: Record<string, string>, split: Split): AskedProblem;
  /** What is right about a right answer. */
  rightWords: string;
}

export interface AskedProblem {
  task: TextTask;
  episode: TextEpisode;
  /** Index into the examples of the episode. */
  position: number;
}

/** An episode of a typed problem. It is in no set, so that nobody asks for its keys. */
export const typedEpisode = (task: TextTask, split: Split, problem: unknown): TextEpisode => ({
  ...{ task: task.name, split, problem },
  keys: { multiset: '', ordered: '' },
});

export function textPlay(question: TextQuestion): PlayTask {
  const { name, fields, rules, rightWords } = question;
  return {
    ...{ name, label: textTaskLabels[name], fields, rules, inText: true },
    example: (random) => question.example(random),
    whyNot: (checkpoint) => whyNotSpokenTo(checkpoint, true),
    async ask(asked, { split, inputs, ...drawing }, watching) {
      const { task, episode, position } = question.ask(inputs, split);
      const example = task.examples(episode)[position]!;
      const codec = await asked.codec();
      const asking = { prompt: codec.promptIds(example.prompt), stopIds: codec.stopIds };
      const { ids, answer } = await spokenAnswer(asked, asking, drawing, watching);
      const solvable = task.rightEndings(episode, position).length > 0;
      const verdict = task.verify(episode, codec.textOf(ids), position);
      return {
        ...answer,
        verdict: {
          correct: verdict.correct,
          reason: reasonOf(verdict, rightWords),
          expected: solvable ? example.answer.text : null,
        },
      };
    },
  };
}

function reasonOf({ correct, ruleSlip, fault }: TextVerdict, rightWords: string): string {
  if (correct) return rightWords;
  const words = fault.charAt(0).toUpperCase() + fault.slice(1);
  return ruleSlip ? `${words} It would be right under the rule of the other split.` : words;
}
