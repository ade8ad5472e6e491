/** `rotascope report`: a study with all its figures as one HTML file. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import writeFileAtomic from 'write-file-atomic';
import type { EngineClient } from '../api/engineClient.ts';
import { repositoryFolder } from '../bootstrap/folders.mjs';
import { stepReporter } from '../bootstrap/progress.mjs';
import { ensureBuild } from '../bootstrap/uiBuild.mjs';
import { AppError } from '../contract/errors.ts';
import { attachEngine } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { dataOption } from './serve.ts';

/** What renderer/report.ts exports; the engine knows the interface by its build only. */
interface ReportModule {
  studyReport(call: EngineClient['call'], studyId: string, now: Date): Promise<string>;
}

/** Built from the sources where they are; a package holds it ready. */
async function loadReport(): Promise<ReportModule> {
  if (existsSync(join(repositoryFolder, 'renderer', 'report.ts'))) {
    const reporter = stepReporter(process.stderr);
    await ensureBuild('production', reporter.report);
    reporter.end();
  }
  const file = join(repositoryFolder, 'out', 'report', 'report.mjs');
  return (await import(pathToFileURL(file).href)) as ReportModule;
}

/** The study of this id, of an id that begins so, or of this name. */
async function idOf(client: EngineClient, given: string): Promise<string> {
  const studies = await client.call('studies.list', {});
  const found = studies.filter(({ id, name }) => id.startsWith(given) || name === given);
  const exact = found.find(({ id }) => id === given) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return exact.id;
  const all = studies.map(({ id, name }) => `${id.slice(0, 8)} ${name}`).join('; ');
  throw new AppError('NOT_FOUND', `${found.length} studies are called "${given}" or have ids that begin so.`, {
    hint: all === '' ? 'There is no study in this data folder.' : `There are: ${all}.`,
  });
}

async function report(given: string, { out, data }: { out: string; data: string }): Promise<number> {
  const { studyReport } = await loadReport();
  const attached = await attachEngine(data);
  try {
    const { client } = attached;
    const html = await studyReport(client.call, await idOf(client, given), new Date());
    await writeFileAtomic(resolve(out), html);
    console.log(`${resolve(out)}: ${(Buffer.byteLength(html) / 1e6).toFixed(1)} MB`);
  } finally {
    await attached.close();
  }
  return exitCodes.ok;
}

const help = `
Words, figures as SVG with their numbers, settings and provenance, as the window's Figures page writes it: nothing is loaded and no
script runs, so it opens anywhere. Figures are drawn with the choices that the window keeps.

Exit codes: 0 finished, 1 failed, 2 wrong usage.`;

export function reportCommand(): Command {
  return new Command('report')
    .description('write a study with all its figures as one HTML file')
    .argument('<study>', 'id of the study, its first characters, or its name')
    .requiredOption('--out <file>', 'file to write; one that is there is replaced')
    .addOption(dataOption())
    .addHelpText('after', help)
    .action((study: string, options: { out: string; data: string }) => endWith(false, () => report(study, options)));
}
