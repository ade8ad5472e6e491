/**
 * Prompts with their answers as one batch: prompts left-padded, answers right-padded, so that every answer begins in one
 * column. What is padding is said by masks and not by a token: the padding token may be one that answers end with.
 */
import type { HostArray, Tensor, TensorSpec, Tf } from '../../compute/session.ts';
import { AppError } from '../../contract/errors.ts';
import { type DecoderWeights, decode, outputLogits } from '../model/decoder.ts';
import { splitSequences } from '../model/languageModel.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import { tokenNll } from '../model/tokenNll.ts';

/** A prompt and what has to be written after it, as tokens. */
export interface TokenExample {
  prompt: readonly number[];
  answer: readonly number[];
  /** Answer tokens that count; all of them unless given. */
  counted?: readonly boolean[];
}

export const countedTokens = ({ answer, counted }: TokenExample): number =>
  counted?.filter(Boolean).length ?? answer.length;

export interface AnswerShape {
  rows: number;
  /** Columns. */
  prompt: number;
  answer: number;
}

/** Inputs of a step that reads such a batch. */
export function answerSpecs({ rows, prompt, answer }: AnswerShape): Record<string, TensorSpec> {
  return {
    sequences: { shape: [rows, prompt + answer], dtype: 'int32' },
    /** 1 = token; of all that the model reads: the last column is only predicted. */
    attentionMask: { shape: [rows, prompt + answer - 1], dtype: 'int32' },
    /** 1 = counts; token-major. */
    answerMask: { shape: [answer, rows], dtype: 'float32' },
  };
}

/**
 * Values of `answerSpecs`; rows without an example are padding all over.
 * @throws SHAPE_MISMATCH an example is longer than the shape, or there are more than its rows
 */
export function answerValues(
  examples: readonly TokenExample[],
  { rows, prompt: columns, answer: answerColumns }: AnswerShape,
  padId: number,
): Record<string, HostArray> {
  if (examples.length > rows)
    throw new AppError('SHAPE_MISMATCH', `${examples.length} examples do not fit into ${rows} rows.`);
  const width = columns + answerColumns;
  const sequences = new Int32Array(rows * width).fill(padId);
  const attentionMask = new Int32Array(rows * (width - 1));
  const answerMask = new Float32Array(answerColumns * rows);
  examples.forEach(({ prompt, answer, counted }, row) => {
    if (prompt.length > columns || answer.length > answerColumns) {
      const message = `An example of ${prompt.length} + ${answer.length} tokens does not fit into ${columns} + ${answerColumns}.`;
      throw new AppError('SHAPE_MISMATCH', message);
    }
    const start = columns - prompt.length;
    sequences.set(prompt, row * width + start);
    sequences.set(answer, row * width + columns);
    const end = Math.min(columns + answer.length, width - 1);
    attentionMask.fill(1, row * (width - 1) + start, row * (width - 1) + end);
    for (let i = 0; i < answer.length; i++) answerMask[i * rows + row] = (counted?.[i] ?? true) ? 1 : 0;
  });
  return { sequences, attentionMask, answerMask };
}

/**
 * Inside a step: cross-entropy of every answer token that counts, given all before it; 0 elsewhere.
 * @param inputs of `answerSpecs`
 * @returns float32 [answer * rows], token-major, nats
 */
export function answerLosses(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  inputs: Record<string, Tensor>,
  promptColumns: number,
): Tensor {
  const { ids, targets } = splitSequences(tf, inputs['sequences']!, promptColumns);
  const { normalized } = decode(tf, config, weights, {
    ids,
    attentionMask: inputs['attentionMask'],
    from: promptColumns - 1,
  });
  return tf.mul(tokenNll(tf, outputLogits(tf, weights, normalized), targets), inputs['answerMask']!.flatten());
}
