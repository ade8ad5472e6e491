/** `rotascope study <preset>`: the studies of the window without a window. The same request resumes, or prints the result. */
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { EngineClient } from '../api/engineClient.ts';
import type { EngineEvent, Study } from '../contract/api.ts';
import { settingsPresets } from '../contract/presets.ts';
import type { StudyResult } from '../contract/studyResult.ts';
import { importBase } from './baseCheckpoint.ts';
import { attachEngine } from './attach.ts';
import type { Attached } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { HoldUp } from './holdUp.ts';
import { pauseOnSignals } from './pauseOnSignals.ts';
import { dataOption } from './serve.ts';
import { makeStudyOutput } from './studyOutput.ts';
import type { StudyOutput } from './studyOutput.ts';
import { resolveSettings } from './studySettings.ts';
import { Wake } from './wake.ts';

interface StudyOptions {
  data: string;
  seeds?: number[];
  json: boolean;
  new: boolean;
  set: string[];
  settings?: string;
  base?: string;
  task?: string;
}

const eventsPerCall = 1000;

function parseSeeds(text: string): number[] {
  const seeds = text.split(',').map(Number);
  if (seeds.some((seed) => !Number.isInteger(seed) || seed < 0)) throw new InvalidArgumentError('E.g. 0,1,2');
  return seeds;
}

/** Every event since last time, by job and in order. */
async function printNewEvents(
  client: EngineClient,
  study: Study,
  seen: Map<string, number>,
  output: StudyOutput,
): Promise<void> {
  for (const stage of study.stages) {
    const { jobId } = stage;
    if (jobId === null || (stage.state === 'succeeded' && seen.get(jobId) === Infinity)) continue;
    for (let more = true; more;) {
      const afterSeq = seen.get(jobId) ?? 0;
      const events = await client.call('jobs.events', { id: jobId, afterSeq, limit: eventsPerCall });
      for (const event of events) output.event(stage, jobId, event);
      more = events.length === eventsPerCall;
      if (events.length > 0) seen.set(jobId, events.at(-1)!.seq);
    }
    if (stage.state === 'succeeded') seen.set(jobId, Infinity);
  }
}

/** Until it has ended, over pauses too. */
async function follow(
  { client, address }: Attached,
  id: string,
  wake: Wake,
  output: StudyOutput,
  json: boolean,
): Promise<Study> {
  const seen = new Map<string, number>();
  const holdUp = new HoldUp(client, address);
  for (;;) {
    const study = await client.call('studies.get', { id });
    output.study(study);
    if (json) await printNewEvents(client, study, seen, output);
    if (study.state !== 'running' && study.state !== 'paused') return study;
    const heldUp = await holdUp.look(study.stages.map(({ state }) => state));
    if (heldUp !== '') output.note(heldUp);
    await wake.wait();
  }
}

/** The paragraph, and what went wrong where something did. */
async function printEnd(client: EngineClient, study: Study, result: StudyResult): Promise<void> {
  for (const sentence of result.words) console.log(sentence);
  for (const stage of study.stages) {
    if (stage.state !== 'failed' && stage.state !== 'interrupted') continue;
    const job = stage.jobId ? await client.call('jobs.get', { id: stage.jobId }) : null;
    console.error(`${stage.title}: ${job?.error?.message ?? stage.state} ${job?.error?.hint ?? ''}`);
  }
}

function exitCodeOf(study: Study): number {
  if (study.state === 'succeeded') return exitCodes.ok;
  return study.state === 'failed' ? exitCodes.failed : exitCodes.stopped;
}

async function runStudy(preset: string, options: StudyOptions): Promise<number> {
  let settings = resolveSettings({ ...options, preset });
  const wake = new Wake();
  const attached = await attachEngine(options.data, (events: EngineEvent[]) => {
    if (events.some(({ type }) => type === 'study' || type === 'queue')) wake.push();
  });
  const { client } = attached;
  let open: { close(): Promise<void> } = attached;
  try {
    const output = makeStudyOutput(options.json);
    if (settings.base) settings = { ...settings, base: { ...settings.base, folder: await importBase(attached, settings.base.folder) } }; // prettier-ignore
    let study = await client.call('studies.create', { settings, new: options.new });
    const stop = (): Promise<unknown> => client.call('studies.cancel', { id: study.id });
    open = pauseOnSignals(attached, stop, () => output.end());
    if (!options.json && study.state !== 'succeeded') console.log(`Watch it at ${attached.address}`);
    study = await client.call('studies.start', { id: study.id });
    study = await follow(attached, study.id, wake, output, options.json);
    output.end();
    const result = await client.call('studies.result', { id: study.id });
    if (options.json) console.log(JSON.stringify(result));
    else await printEnd(client, study, result);
    return exitCodeOf(study);
  } finally {
    await open.close();
  }
}

const help = `
Presets:
${settingsPresets.map(({ id, about }) => `  ${id.padEnd(16)} ${about}`).join('\n')}

The same settings find the same study: an unfinished one goes on, a finished one is printed again; --new starts another.

With --json every line is an event of a job ({"stageId", "jobId", "seq", "timeMs", "type", ...}), {"type":"stage", ...} or
{"type":"study", ...}; the last line is {"type":"result","version":1, ...} as in main/contract/studyResult.ts.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 stopped by someone else, 130 paused with Ctrl+C (resumable).`;

export function studyCommand(): Command {
  const collect = (value: string, before: string[]): string[] => [...before, value];
  return new Command('study')
    .description('run a study, or go on with it')
    .addArgument(new Argument('<preset>', 'which protocol').choices(settingsPresets.map(({ id }) => id)))
    .addOption(dataOption())
    .option('--base <folder>', 'the checkpoint to start from, for a task in text')
    .option('--task <name>', 'which task, e.g. generalPoints, navigation, determinant, rank')
    .option('--seeds <list>', 'seeds, e.g. 0,1,2', parseSeeds)
    .option('--json', 'print events and the result as JSON lines', false)
    .option('--new', 'start another study even if there is one with these settings', false)
    .option('--set <name=value>', 'one setting, e.g. rl.iterations=10 (may be repeated)', collect, [])
    .option('--settings <file>', 'settings as YAML or JSON, as the window saves them')
    .addHelpText('after', help)
    .action((preset: string, options: StudyOptions) => endWith(options.json, () => runStudy(preset, options)));
}
