/** Tested verdicts of one seed; of the whole study (seed -1): what holds over the seeds, and the paragraph in words. */
import type { StudyResult, Verdicts } from '../../contract/studyResult.ts';
import { analyseRequestSchema } from '../../contract/requests.ts';
import { acrossSeeds } from '../../ml/statistics/acrossSeeds.ts';
import { studyWords } from '../../ml/statistics/studyWords.ts';
import { studyVerdicts } from '../../ml/statistics/verdicts.ts';
import type { JobContext } from '../jobContext.ts';

type Output = { verdicts: Verdicts | null } | Pick<StudyResult, 'across' | 'words'>;

export function kind(context: JobContext): Promise<Output> {
  const { seed, seeds } = analyseRequestSchema.parse(context.request);
  const output: Output =
    seed === -1 ? { across: acrossSeeds(seeds), words: studyWords({ seeds }) } : { verdicts: studyVerdicts(seeds[0]!) };
  return Promise.resolve(output);
}
