/** An evaluation inside a job: its progress is said, and every answer of a task in text is kept in the job's folder. */
import { join } from 'node:path';
import type { Evaluation } from '../../contract/evaluation.ts';
import type { Evaluator } from '../../ml/evaluation/evaluator.ts';
import { writeSamples } from '../../ml/evaluation/sampleFile.ts';
import type { LanguageModel } from '../../ml/model/languageModel.ts';
import type { JobContext } from '../jobContext.ts';

/** Where a job keeps the answers of its evaluations in text. */
export const samplesFolder = (jobFolder: string): string => join(jobFolder, 'samples');

/** @param report says how far the job is, and what it does there */
export async function evaluateAndKeep(
  context: Pick<JobContext, 'folder' | 'signal'>,
  evaluator: Evaluator,
  model: LanguageModel,
  step: number,
  report: (step: number, what: string) => void,
): Promise<Evaluation> {
  const { evaluation, samples } = await evaluator.evaluate(model, {
    signal: context.signal,
    onProgress: (phase, done) => report(step, `evaluation, ${phase}: ${done}`),
  });
  if (samples.length > 0) await writeSamples(samplesFolder(context.folder), step, samples);
  return evaluation;
}
