/** One answer as it is watched: every token with its probability and what else might have stood there. */
import type { PlayToken } from '../../contract/play.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { streamTokens } from '../model/tokenStream.ts';
import { Philox } from '../random/philox.ts';
import { bucketLength } from '../text/lengthBuckets.ts';
import type { PlayQuestion, Watching } from './playTask.ts';

const shownAlternatives = 6;

export interface AnswerRequest {
  prompt: readonly number[];
  newTokens: number;
  stopIds: readonly number[];
  /** What a token adds to the text of those before it, which it is told in order. */
  pieceOf(id: number): string;
  /** A token by itself. */
  textOf(id: number): string;
  /** What the token at an index is part of. */
  stepAt?(index: number): string;
}

/** @returns the answer's tokens, the one that ended it among them */
export async function watchedAnswer(
  model: LanguageModel,
  request: AnswerRequest,
  { temperature, seed }: Pick<PlayQuestion, 'temperature' | 'seed'>,
  { onToken, signal }: Watching,
): Promise<{ ids: number[]; tokens: PlayToken[] }> {
  const random = new Philox(seed, 'question');
  const choose = (logits: Float32Array): number =>
    temperature === 0 ? likeliest(logits, 1)[0]! : drawn(probabilities(logits, temperature), random.uniform());
  const { pieceOf, textOf, stepAt, ...rest } = request;
  const ids: number[] = [];
  const tokens: PlayToken[] = [];
  const promptColumns = bucketLength(request.prompt.length);
  for await (const { id, logits } of streamTokens(model, { ...rest, promptColumns, choose, signal })) {
    const all = probabilities(logits, 1);
    const token: PlayToken = {
      text: pieceOf(id),
      probability: all[id]!,
      step: stepAt?.(ids.length) ?? '',
      alternatives: likeliest(logits, shownAlternatives).map((one) => ({ text: textOf(one), probability: all[one]! })),
    };
    ids.push(id);
    tokens.push(token);
    onToken(token);
  }
  return { ids, tokens };
}

/** Softmax at a temperature above 0. @returns [vocab], of sum 1 */
export function probabilities(logits: Float32Array, temperature: number): Float64Array {
  const largest = logits.reduce((most, one) => Math.max(most, one), -Infinity);
  const powers = Float64Array.from(logits, (one) => Math.exp((one - largest) / temperature));
  const total = powers.reduce((sum, one) => sum + one, 0);
  return powers.map((one) => one / total);
}

/** The first token whose cumulative probability reaches `uniform`. @param uniform in (0, 1] */
export function drawn(distribution: Float64Array, uniform: number): number {
  let cumulative = 0;
  let last = 0;
  for (const [id, probability] of distribution.entries()) {
    if (probability === 0) continue;
    cumulative += probability;
    last = id;
    if (cumulative >= uniform) return id;
  }
  // Rounding: the sum stayed below 1.
  return last;
}

/** The ids of the largest logits, largest first; of equal ones the first. */
export function likeliest(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    if (best.length === count && logits[id]! <= logits[best[count - 1]!]!) continue;
    const place = best.findIndex((other) => logits[other]! < logits[id]!);
    best.splice(place < 0 ? best.length : place, 0, id);
    best.length = Math.min(best.length, count);
  }
  return best;
}
