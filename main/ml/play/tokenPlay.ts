/** Questions of the token tasks: one episode made of what was typed, its greedy answer, and the probabilities behind it. */
import type { Compute } from '../../compute/compute.ts';
import { AppError } from '../../contract/errors.ts';
import type { PlayField, PlayToken } from '../../contract/play.ts';
import { taskSettingsSchema } from '../../contract/settings.ts';
import type { Checkpoint } from '../checkpoints/openCheckpoint.ts';
import { whyNotEvaluated } from '../evaluation/canEvaluate.ts';
import { LanguageModel } from '../model/languageModel.ts';
import { parseModelConfig } from '../model/modelConfig.ts';
import type { Philox } from '../random/philox.ts';
import type { Episode, Split, Task, Verdict } from '../tasks/task.ts';
import { referenceScoring } from '../training/ppoSteps.ts';
import type { PlayModel, PlayTask } from './playTask.ts';

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

const shownAlternatives = 6;

/** Likeliest first. @param logProbabilities [vocab] */
function alternatives(task: Task, logProbabilities: Float32Array): PlayToken['alternatives'] {
  return [...logProbabilities.keys()]
    .sort((a, b) => logProbabilities[b]! - logProbabilities[a]!)
    .slice(0, shownAlternatives)
    .map((id) => ({ text: task.vocabulary[id]!, probability: Math.exp(logProbabilities[id]!) }));
}

async function answerTokens(model: LanguageModel, task: Task, prompt: Int32Array): Promise<PlayToken[]> {
  const { promptLength, answerLength, eosId, padId, vocabulary } = task;
  const answer = await model.generate({
    prompts: prompt,
    promptLength,
    newTokens: answerLength,
    decoding: { mode: 'greedy' },
    stopIds: [eosId],
    padId,
  });
  const sequences = Int32Array.of(...prompt, ...answer);
  const scored = (await referenceScoring(model, task, 1).run({ sequences }))['logProbabilities']!.data as Float32Array;
  const end = answer.indexOf(eosId);
  return [...answer.subarray(0, end < 0 ? answerLength : end + 1)].map((id, position) => {
    const here = scored.subarray(position * vocabulary.length, (position + 1) * vocabulary.length);
    return {
      text: vocabulary[id]!,
      probability: Math.exp(here[id]!),
      step: task.steps[position]!,
      alternatives: alternatives(task, here),
    };
  });
}

export function tokenPlay(task: Task, question: TokenQuestion): PlayTask {
  const settings = taskSettingsSchema.parse({ name: task.name });
  const { label, fields, rules } = question;
  const wordsOf = (tokens: ArrayLike<number>): string =>
    Array.from(tokens)
      .filter((id) => id !== task.padId)
      .map((id) => task.vocabulary[id]!)
      .join(' ');
  return {
    name: task.name,
    label,
    fields,
    rules,
    example: (random) => question.example(random),
    whyNot: (checkpoint) =>
      whyNotEvaluated(checkpoint, settings, { models: 1, availableBytes: process.availableMemory() }),
    async open(compute: Compute, checkpoint: Checkpoint): Promise<PlayModel> {
      if (checkpoint.config === null) throw new AppError('CHECKPOINT_INCOMPLETE', 'There is no config.json.');
      const config = parseModelConfig(checkpoint.config, checkpoint.tensors);
      const model = new LanguageModel(compute, config, await checkpoint.readAll());
      return {
        async ask(inputs, split) {
          const episode = question.episode(inputs, split);
          const tokens = await answerTokens(model, task, episode.prompt);
          const words = tokens.map(({ text }) => text);
          const verdict = task.verify(
            episode,
            words.map((word) => task.vocabulary.indexOf(word)),
          );
          return {
            prompt: wordsOf(episode.prompt),
            tokens,
            correct: verdict.correct,
            reason: question.reason(episode, words, verdict),
            expected: episode.solvable ? wordsOf(episode.answer) : null,
          };
        },
        dispose: () => model.dispose(),
      };
    },
  };
}

/** The value of a field. @throws INVALID_REQUEST when it is empty or none of its choices */
export function fieldValue({ name, label, choices, hint }: PlayField, inputs: Record<string, string>): string {
  const value = (inputs[name] ?? '').trim();
  if (value === '' || (choices.length > 0 && !choices.includes(value)))
    throw new AppError('INVALID_REQUEST', `${label}: "${value}" is not possible.`, {
      hint: choices.length > 0 ? `One of ${choices.join(', ')}.` : hint,
    });
  return value;
}
