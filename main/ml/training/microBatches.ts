/** A batch of prompts and answers of any lengths, cut into parts of about equal length that fit into memory. */
import type { AnswerShape, TokenExample } from '../text/answerBatch.ts';
import { batchSize, lengthBuckets } from '../text/lengthBuckets.ts';

interface MicroBatch {
  /** Indices of the examples. */
  rows: number[];
  /** Rows without an example count for nothing: remainders share steps. */
  shape: AnswerShape;
}

/** @param mostRows of a part */
export function microBatches(examples: readonly TokenExample[], mostRows: number): MicroBatch[] {
  const lengths = examples.map(({ prompt, answer }) => ({ prompt: prompt.length, answer: answer.length }));
  return lengthBuckets(lengths, () => mostRows).map(({ rows, prompt, answer }) => ({
    rows,
    shape: { rows: Math.min(batchSize(rows.length), mostRows), prompt, answer },
  }));
}
