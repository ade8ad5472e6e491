/**
 * What is left once the beginning of the right answer is given: forced accuracy (the model writes the result), and the
 * probability of every right result beside that of the one in the label.
 *
 * Given are the tokens of the reference answer that end before the result begins. A token that reaches into the result is
 * left to write, so that the model goes on where its own answers would, not in the middle of a token.
 */
import type { AnswerSample } from '../../contract/samples.ts';
import { placesOf, sampleOf } from './textDialogues.ts';
import type { ReferenceAnswer, TextEpisode, TextTask, TextVerdict } from '../tasks/textTask.ts';
import type { TokenExample } from '../text/answerBatch.ts';
import type { ChatCodec } from '../text/chatCodec.ts';
import type { BatchOptions, TextModel } from '../text/textModel.ts';

/** The tokens of an answer that end before its result, with their text. */
export function givenPart(codec: ChatCodec, { text, forcedChars }: ReferenceAnswer): { ids: number[]; text: string } {
  const ids = codec.textIds(text);
  const starts = [...codec.startsOf(ids), text.length];
  const count = ids.findIndex((_, i) => starts[i + 1]! > forcedChars);
  const given = count < 0 ? ids : ids.slice(0, count);
  return { ids: given, text: text.slice(0, starts[given.length]) };
}

export interface ForcedRun {
  /** At every position of the episode. */
  correct: boolean;
  samples: AnswerSample[];
}

/** Greedy results after the given part, at every position of every episode. */
export async function forcedAnswers(
  text: TextModel,
  task: TextTask,
  episodes: readonly TextEpisode[],
  maxNewTokens: number,
  options: BatchOptions = {},
): Promise<ForcedRun[]> {
  const { codec } = text;
  const asked = placesOf(episodes).flatMap((place, row) =>
    task.examples(place.episode).map(({ prompt, answer }, position) => {
      const given = givenPart(codec, answer);
      return { ...place, row, position, prompt, given, ids: [...codec.promptIds(prompt), ...given.ids] };
    }),
  );
  const answers = await text.generate(asked.map(({ ids }) => ids), maxNewTokens, { mode: 'greedy' }, options); // prettier-ignore
  const runs = episodes.map((): ForcedRun => ({ correct: true, samples: [] }));
  asked.forEach(({ row, position, prompt, given, ...place }, i) => {
    const answer = codec.textOf([...given.ids, ...answers[i]!]);
    const verdict: TextVerdict = task.verify(place.episode, answer, position);
    const run = runs[row]!;
    run.correct &&= verdict.correct;
    run.samples.push({
      ...sampleOf({ kind: 'forced', sample: 0 }, place, verdict),
      turn: position,
      messages: [...prompt],
      given: given.text,
      answer,
      ended: codec.stopIds.includes(answers[i]!.at(-1)!),
      reward: verdict.reward,
    });
  });
  return runs;
}

/** Probability mass after the given part, of one position. */
export interface ResultMass {
  /** Of all right results together; at most 1. */
  any: number;
  /** Of the one that the label has. */
  reference: number;
}

/** Rows of one call: enough for full batches, and no more tokens in memory than that. */
const rowsAtOnce = 2048;

/** @returns one for each position of each episode */
export async function resultMasses(
  text: TextModel,
  task: TextTask,
  episodes: readonly TextEpisode[],
  options: BatchOptions = {},
): Promise<ResultMass[]> {
  const positions = episodes.flatMap((episode) =>
    task.examples(episode).map((example, position) => ({ example, endings: task.rightEndings(episode, position) })),
  );
  const masses = positions.map((): ResultMass => ({ any: 0, reference: 0 }));
  const rows = positions.flatMap(({ example: { prompt, answer }, endings }, at) => {
    const label = answer.text.slice(answer.forcedChars);
    const reference = endings.find((ending) => label.startsWith(ending));
    const tail = reference === undefined ? '' : label.slice(reference.length);
    const given = givenPart(text.codec, answer);
    const before = [...text.codec.promptIds(prompt), ...given.ids];
    return endings.map((ending) => {
      const right = answer.text.slice(0, answer.forcedChars) + ending;
      return { at, isReference: ending === reference, example: resultExample(text.codec, before, given, right, tail) };
    });
  });
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    const chunk = rows.slice(start, start + rowsAtOnce);
    const losses = await text.answerLosses(chunk.map(({ example }) => example), options); // prettier-ignore
    chunk.forEach(({ at, isReference }, i) => {
      const probability = Math.exp(-losses[i]!.reduce((sum, loss) => sum + loss, 0));
      masses[at]!.any += probability;
      if (isReference) masses[at]!.reference = probability;
    });
  }
  return masses;
}

/**
 * The tokens that write a right result, as they would stand in a whole answer: up to the one that holds the last character
 * of its end mark. No such sequence begins another, because no right text does; so their probabilities add up.
 */
function resultExample(
  codec: ChatCodec,
  before: number[],
  given: { ids: number[]; text: string },
  right: string,
  tail: string,
): TokenExample {
  const whole = codec.textIds(right + tail);
  const continues = given.ids.every((id, i) => whole[i] === id);
  const rest = continues ? whole.slice(given.ids.length) : codec.textIds((right + tail).slice(given.text.length));
  const starts = codec.startsOf(rest);
  const length = right.length - given.text.length;
  const beyond = starts.findIndex((start) => start >= length);
  return { prompt: before, answer: beyond < 0 ? rest : rest.slice(0, beyond) };
}
