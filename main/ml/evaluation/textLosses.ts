/** Teacher-forced loss of reference answers in the template that accuracy is measured in, over all tokens and by step. */
import type { AnswerStep } from '../tasks/task.ts';
import type { TextExample } from '../tasks/textTask.ts';
import type { TokenExample } from '../text/answerBatch.ts';
import type { ChatCodec } from '../text/chatCodec.ts';
import type { BatchOptions, TextModel } from '../text/textModel.ts';

export const tokenExample = (codec: ChatCodec, { prompt, answer }: TextExample): TokenExample => ({
  prompt: codec.promptIds(prompt),
  answer: codec.answerIds(answer.text),
});

/** Mean over the answer tokens (of a step), nats; NaN where there is none. */
export type StepLosses = Record<AnswerStep | 'all', number>;

export async function stepLosses(
  text: TextModel,
  examples: readonly TextExample[],
  options: BatchOptions = {},
): Promise<StepLosses> {
  const { codec } = text;
  const losses = await text.answerLosses(examples.map((example) => tokenExample(codec, example)), options); // prettier-ignore
  const sums = { all: [0, 0], format: [0, 0], card: [0, 0], number: [0, 0], formula: [0, 0] } satisfies Record<string, [number, number]>; // prettier-ignore
  examples.forEach(({ answer }, row) => {
    codec.stepsOf(answer).forEach((step, token) => {
      for (const sum of [sums.all, sums[step]]) {
        sum[0] += losses[row]![token]!;
        sum[1]++;
      }
    });
  });
  const entries = Object.entries(sums).map(([step, [sum, count]]) => [step, sum / count]);
  return Object.fromEntries(entries) as StepLosses;
}
