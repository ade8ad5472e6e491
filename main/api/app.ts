/** Calls about the app as a whole. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, platform, release } from 'node:os';
import { join } from 'node:path';
import { contractVersion } from '../contract/wire.ts';
import type { AppState } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { studyFileName } from './studyExchange/format.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';

/** More than any page keeps; a runaway page must not fill the database, bytes of JSON. */
const maxUiStateBytes = 1024 * 1024;

async function diskFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function appState(context: EngineContext): Promise<AppState> {
  return {
    contractVersion,
    version: context.version,
    platform: `${platform()} ${arch()}`,
    dataFolder: context.dataFolder,
    diskFreeBytes: await diskFreeBytes(context.dataFolder),
    physicalCores: context.cores,
    compute: context.compute.status,
    computeChoice: context.compute.choice,
    notices: context.store.app.notices(),
    sampleAvailable: existsSync(join(context.sampleFolder, studyFileName)),
  };
}

/** Text for a bug report: no tokens, no weights. */
async function diagnostics(context: EngineContext): Promise<string> {
  const state = await appState(context);
  const jobs = context.store.jobs.list(10);
  const lines = [
    `Rotascope ${state.version} on ${state.platform} (${release()}), Node ${process.version}`,
    `Compute: ${state.compute.label} on ${state.compute.device}${state.compute.reason && `. ${state.compute.reason}`}`,
    `Cores: ${state.physicalCores}; data folder: ${state.dataFolder}; free: ${(state.diskFreeBytes / 1e9).toFixed(1)} GB`,
    `Newest jobs${context.store.jobs.queuePaused() ? ' (the queue is paused)' : ''}:`,
    ...jobs.map(
      (job) => `  ${job.state} ${job.kind} "${job.title}" attempt ${job.attempt} ${job.error?.message ?? ''}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

export function appHandlers(context: EngineContext): HandlerGroup {
  const { store, events } = context;
  return {
    'app.state': () => appState(context),
    'app.chooseCompute': (choice) => {
      context.compute.choose(choice, () => events.publish({ type: 'app' }));
      store.app.setComputeChoice(choice);
      return { ok: true };
    },
    'app.diagnostics': async () => ({ text: await diagnostics(context) }),
    'app.dismissNotice': ({ id }) => {
      if (store.app.removeNotice(id)) events.publish({ type: 'app' });
      return { ok: true };
    },
    'app.getUiState': () => store.app.uiState(),
    'app.setUiState': (values) => {
      if (JSON.stringify(values).length > maxUiStateBytes)
        throw new AppError('INVALID_REQUEST', 'The state of the page is larger than 1 MB.', { hint: 'Store less.' });
      store.app.setUiState(values);
      return { ok: true };
    },
  };
}
