/**
 * Supervised fine-tuning of a checkpoint on prompts and answers in text, in the order of sft.ts: a fixed set with one fixed
 * answer each, seen in epochs; the loss counts the answer's tokens and the one that ends it. An update is made of
 * micro-batches of about equal length, so that a batch of any size fits into memory.
 */
import { createHash } from 'node:crypto';
import type { SftSettings, TextSftSettings } from '../../contract/settings.ts';
import { tokenExample } from '../evaluation/textLosses.ts';
import type { TextExample } from '../tasks/textTask.ts';
import type { TokenExample } from '../text/answerBatch.ts';
import type { TextModel } from '../text/textModel.ts';
import { accumulatedUpdate } from './accumulatedUpdate.ts';
import { rotationPenalty } from './rotationPenalty.ts';
import { epochRows, runSft } from './sftLoop.ts';
import type { RunHooks } from './trainingRun.ts';

/** Of the settings of SFT, without those that only the job or the miniature need, those of a run in text beside them. */
export type TextSftRunSettings = Omit<SftSettings, 'examples' | 'endStep' | 'spectralDrift' | 'text'> &
  Omit<TextSftSettings, 'dataFile'>;

export interface TextSftRequest extends RunHooks {
  /** The model where the run starts, which is trained; a resumed run starts from it too. */
  text: TextModel;
  examples: readonly TextExample[];
  settings: TextSftRunSettings;
  seed: number;
}

/** Trains the request's model. @throws INVALID_REQUEST | CANCELLED | NOT_FINITE | OUT_OF_MEMORY */
export async function trainTextSft(request: TextSftRequest): Promise<void> {
  const { text, examples, settings, seed } = request;
  const { batchSize, maxGradNorm, microBatchSize } = settings;
  const batchOf = textBatches(text, examples, batchSize, seed);
  const { model } = text;
  const { coefficient } = settings.rotationPenalty;
  const penalty =
    coefficient > 0
      ? {
          coefficient,
          value: await rotationPenalty(model, (name) => model.session.read(name), settings.rotationPenalty),
        }
      : undefined;
  const { beta1, beta2, adamEps: eps, weightDecay } = settings;
  const update = accumulatedUpdate(text, { beta1, beta2, eps, weightDecay, microBatchSize, maxGradNorm, penalty });
  const tokensOf = (batch: readonly TokenExample[]): number =>
    batch.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0);
  const identity = { ...settings, data: digestOf(examples) };
  await runSft({ ...request, model, identity, batchOf, tokensOf, update });
}

/** A run goes on with the data that it began with. */
const digestOf = (examples: readonly TextExample[]): string =>
  createHash('sha256').update(JSON.stringify(examples)).digest('hex');

/** Each example is tokenised when it is first asked for. @throws INVALID_REQUEST fewer examples than a batch has */
function textBatches(
  { codec }: TextModel,
  examples: readonly TextExample[],
  batchSize: number,
  seed: number,
): (step: number) => TokenExample[] {
  const rowsOf = epochRows(examples.length, batchSize, seed);
  const tokens = new Map<number, TokenExample>();
  const tokensOf = (row: number): TokenExample => {
    const known = tokens.get(row) ?? tokenExample(codec, examples[row]!);
    tokens.set(row, known);
    return known;
  };
  return (step) => Array.from(rowsOf(step), tokensOf);
}
