/** Calls about kept answers, and about files of SFT data. */
import { keptSteps, readSamples } from '../ml/evaluation/sampleFile.ts';
import { readSftFile, sftLine, sftPage } from '../ml/tasks/sftData.ts';
import { textTaskOf } from '../ml/tasks/textTasks.ts';
import { samplesFolder } from '../jobs/kinds/keptAnswers.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';
import { requireJob } from './jobs.ts';

export function sampleHandlers(context: EngineContext): HandlerGroup {
  const folderOf = (jobId: string): string => samplesFolder(context.supervisor.folder(requireJob(context, jobId).id));
  return {
    'samples.steps': async ({ jobId }) => ({ steps: await keptSteps(folderOf(jobId)) }),
    'samples.read': ({ jobId, at, ...query }) => readSamples(folderOf(jobId), at, query),
    'sftData.check': async ({ path }) => {
      const { examples, errors, errorCount, ignoredLines } = await readSftFile(path);
      return { examples: examples.length, badLines: errorCount, errors, ignoredLines };
    },
    'sftData.lines': async ({ task: settings, examples: count, ...place }) => {
      const { examples, nextEpisode } = sftPage(await textTaskOf(settings), place, count);
      const from = { task: settings.name, split: place.split };
      return { lines: examples.map((example) => sftLine(example, from)), nextEpisode };
    },
  };
}
