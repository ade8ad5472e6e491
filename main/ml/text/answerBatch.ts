/**
 * Prompts with their answers as one batch: prompts left-padded, answers right-padded, so that every answer begins in one
 * column. What is padding is said by masks and not by a token: the padding token may be one that answers end with.
 */
import type { HostArray, HostTensor, Tensor, TensorSpec, Tf } from '../../compute/session.ts';
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
 * Values of every answer token, back to their examples.
 * @param values [answer * rows] of a step, token-major
 * @param rows indices of the examples in the rows of the shape
 * @param out for each example [answer.length]
 */
export function copyAnswers(
  { data }: HostTensor,
  shape: AnswerShape,
  rows: readonly number[],
  out: readonly Float32Array[],
): void {
  rows.forEach((row, i) => {
    const own = out[row]!;
    for (let token = 0; token < own.length; token++) own[token] = data[token * shape.rows + i]!;
  });
}

/**
 * Inside a step: the model on such a batch.
 * @param inputs of `answerSpecs`
 * @returns `normalized` of `decode`, a row for each answer token, in which it is predicted: [answer * rows, hidden],
 *   token-major, so that the first `rows` are the last prompt tokens; `targets` the answer tokens, int32 [answer * rows]
 */
export function readAnswers(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  inputs: Record<string, Tensor>,
  promptColumns: number,
): { normalized: Tensor; targets: Tensor } {
  const { ids, targets } = splitSequences(tf, inputs['sequences']!, promptColumns);
  const { normalized } = decode(tf, config, weights, {
    ids,
    attentionMask: inputs['attentionMask'],
    from: promptColumns - 1,
  });
  return { normalized, targets };
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
  const { normalized, targets } = readAnswers(tf, config, weights, inputs, promptColumns);
  return tf.mul(tokenNll(tf, outputLogits(tf, weights, normalized), targets), inputs['answerMask']!.flatten());
}
