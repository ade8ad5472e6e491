/** An answer in text: what a checkpoint needs for it, the prompt that it reads, and its tokens as text while they come. */
import { AppError } from '../../contract/errors.ts';
import type { PlayAnswer } from '../../contract/play.ts';
import { modelWarnings } from '../checkpoints/describeCheckpoint.ts';
import { fileOfFolder } from '../checkpoints/folderFiles.ts';
import type { Checkpoint } from '../checkpoints/openCheckpoint.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import type { TextTokenizer } from '../tokenizer/textTokenizer.ts';
import { readChatFiles } from '../tokenizer/tokenizerFiles.ts';
import type { AskedCheckpoint } from './askedCheckpoint.ts';
import type { PlayQuestion, Watching } from './playTask.ts';
import { type AnswerRequest, watchedAnswer } from './watchedAnswer.ts';

/**
 * Why the checkpoint cannot be spoken to, without its tokenizer being read; null when it can.
 * @param withTemplate a chat template is needed too
 */
export async function whyNotSpokenTo(checkpoint: Checkpoint, withTemplate: boolean): Promise<string | null> {
  const { config, place } = checkpoint;
  if (config === null) return 'There is no config.json beside the weights, so that no model can be built.';
  const [warning] = modelWarnings(checkpoint);
  if (warning !== undefined) return warning;
  if (!place.ownsFolder || (await fileOfFolder(place.root, 'tokenizer.json')) === null)
    return 'There is no tokenizer.json beside the weights, so that no text can be read.';
  try {
    return withTemplate && (await readChatFiles(place.root)).template === null
      ? 'The checkpoint has no chat template.'
      : null;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

/** @param prompt what the model reads, as tokens. @param stopIds any of them ends the answer */
export async function spokenAnswer(
  asked: AskedCheckpoint,
  { prompt, stopIds }: Pick<AnswerRequest, 'prompt' | 'stopIds'>,
  { mostTokens, ...drawing }: Pick<PlayQuestion, 'mostTokens' | 'temperature' | 'seed'>,
  watching: Watching,
): Promise<{ ids: number[]; answer: Omit<PlayAnswer, 'verdict'> }> {
  requireKnownTokens(prompt, await asked.config());
  const tokenizer = await asked.tokenizer();
  const model = await asked.model(prompt.length, mostTokens, watching.signal);
  const request = { prompt, newTokens: mostTokens, stopIds, ...tokenPieces(tokenizer) };
  const { ids, tokens } = await watchedAnswer(model, request, drawing, watching);
  const answer = {
    prompt: tokenizer.decode(prompt),
    promptTokens: prompt.length,
    positions: model.config.maxPositionEmbeddings,
    tokens,
    ended: stopIds.includes(ids.at(-1)!),
  };
  return { ids, answer };
}

/** @throws CHECKPOINT_INVALID the tokenizer is of another model */
function requireKnownTokens(ids: readonly number[], { vocabSize }: ModelConfig): void {
  const foreign = ids.find((id) => id >= vocabSize);
  if (foreign === undefined) return;
  const message = `The tokenizer gives token ${foreign}, and the model has only ${vocabSize.toLocaleString('en')}.`;
  throw new AppError('CHECKPOINT_INVALID', message, { hint: 'Take tokenizer.json from the same checkpoint.' });
}

/** Bytes of a character; more in a row are no character. */
const mostPartsOfCharacter = 4;

/**
 * The text of tokens one after the other. What a token adds depends on those before it: blanks of some tokenizers, and
 * characters that several tokens share, which come whole with the last of these. The last few tokens are decoded again.
 */
export function tokenPieces(tokenizer: TextTokenizer): Pick<AnswerRequest, 'pieceOf' | 'textOf'> {
  const ids: number[] = [];
  /** Tokens before `told` have been told; those from `from` on are decoded with what comes. */
  let [from, told] = [0, 0];
  const alone = new Map<number, string>();
  return {
    pieceOf(id) {
      ids.push(id);
      const before = tokenizer.decode(ids.slice(from, told));
      const now = tokenizer.decode(ids.slice(from));
      if (now.endsWith('\uFFFD') && ids.length - told < mostPartsOfCharacter) return '';
      [from, told] = [told, ids.length];
      return now.slice(before.length);
    },
    textOf(id) {
      const text = alone.get(id) ?? tokenizer.decode([id]);
      alone.set(id, text);
      return text;
    },
  };
}
