/** Composition root: one engine for one data folder, from its lock to its address. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };
import { appHandlers } from './api/app.ts';
import { ComputeProbe, computesOnGpu } from './api/computeProbe.ts';
import type { EngineContext } from './api/context.ts';
import { lockDataFolder, newToken, readEngineFile, writeEngineFile } from './api/engineFile.ts';
import { EventBus } from './api/eventBus.ts';
import { composeHandlers, makeCall } from './api/handlers.ts';
import { checkpointHandlers } from './api/checkpoints.ts';
import { fileHandlers } from './api/files.ts';
import { pace } from './api/estimate.ts';
import type { HandlerGroup } from './api/handlers.ts';
import { hiddenStatesHandlers } from './api/hiddenStates.ts';
import { jobHandlers } from './api/jobs.ts';
import { CatalogueJobs } from './api/catalogueJobs.ts';
import { catalogueStudyCheckpoints } from './api/studyCheckpoints.ts';
import { sampleHandlers } from './api/samples.ts';
import { playHandlers } from './api/play.ts';
import { applyRestore } from './api/dataFolder/applyRestore.ts';
import { backupHandlers } from './api/dataFolder/backups.ts';
import { moveHandlers } from './api/dataFolder/moves.ts';
import { settleMove } from './api/dataFolder/settleMove.ts';
import { storageHandlers } from './api/storage.ts';
import { runHandlers } from './api/runs.ts';
import { spectraHandlers } from './api/spectra.ts';
import { studyHandlers } from './api/studies.ts';
import { sweepHandlers } from './api/sweeps.ts';
import { StudyRunner } from './jobs/studyRunner.ts';
import { JobSupervisor } from './jobs/supervisor.ts';
import type { Logger } from './logging/log.ts';
import type { Store } from './store/store.ts';
import { addressWithToken } from './contract/wire.ts';
import type { Listening } from './contract/wire.ts';
import { PlayProcess } from './jobs/playProcess.ts';
import { physicalCores } from './jobs/physicalCores.ts';
import { openLog } from './logging/log.ts';
import { startServer } from './server.ts';
import type { EngineServer, ServerOptions } from './server.ts';
import { databaseName } from './jobs/dataFolder/dataFiles.ts';
import { openStore } from './store/store.ts';
import { AppError } from './contract/errors.ts';

const repositoryFolder = fileURLToPath(new URL('..', import.meta.url));

export interface EngineOptions {
  dataFolder: string;
  /** The same port as last time when absent, else any free one. */
  port?: number | undefined;
  /** Folder of the built interface; `out/renderer` unless given. */
  rendererFolder?: string | undefined;
  /** Called when the user asks for a restart; the caller stops the engine and starts it again. */
  onRestart?: (() => void) | undefined;
}

export interface Engine {
  listening: Listening;
  stop(): Promise<void>;
}

/** The wanted port; when that was only last time's and is taken by now, any other. */
async function startServerNearby(options: ServerOptions, isFixed: boolean): Promise<EngineServer> {
  try {
    return await startServer(options);
  } catch (error) {
    const taken = ['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!taken) throw error;
    if (!isFixed) return startServer({ ...options, port: 0 });
    throw new AppError('CONFLICT', `Port ${options.port} is taken by another program.`, {
      hint: 'Choose another with --port N, or leave it out.',
      cause: error,
    });
  }
}

/**
 * Starts the engine of a data folder.
 * @throws ENGINE_LOCKED another engine serves this folder
 * @throws STORE_INVALID the database is damaged or newer than this program
 * @throws CONFLICT the port that was asked for is taken
 * @throws NOT_FOUND the data were moved to a place that is not there
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { folder: dataFolder, notMoved } = await settleMove(resolve(options.dataFolder));
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const lock = lockDataFolder(dataFolder);
  try {
    return await startLocked(dataFolder, options, notMoved, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function handlerGroups(context: EngineContext): HandlerGroup[] {
  return [
    appHandlers(context),
    fileHandlers(),
    studyHandlers(context),
    jobHandlers(context),
    checkpointHandlers(context),
    spectraHandlers(context),
    sweepHandlers(context),
    sampleHandlers(context),
    hiddenStatesHandlers(context),
    runHandlers(context),
    playHandlers(context),
    storageHandlers(context),
    backupHandlers(context),
    moveHandlers(context),
  ];
}

/** Everything behind the address. */
function makeContext(dataFolder: string, store: Store, log: Logger, restart: EngineContext['restart']): EngineContext {
  const events = new EventBus();
  const compute = new ComputeProbe(log, store.app.computeChoice());
  const cores = physicalCores();
  const supervisor = new JobSupervisor({
    store,
    jobsFolder: join(dataFolder, 'jobs'),
    // Two jobs on one GPU take each other's memory.
    slots: () => store.app.engineSettings().jobsSideBySide ?? (computesOnGpu(compute.status) ? 1 : cores),
    versions: { rotascope: packageJson.version, node: process.version },
    log,
  });
  const studies = new StudyRunner({
    store,
    supervisor,
    studiesFolder: join(dataFolder, 'studies'),
    msPerWeight: (settings) => pace(store.jobs, compute.status, settings).msPerWeight,
    onChanged: (id, revision) => events.publish({ type: 'study', id, revision }),
  });
  supervisor.listen({
    onJob: (job) => {
      events.publish({ type: 'job', job });
      if (job.kind === 'compare') events.publish({ type: 'spectra', id: job.id });
      if (job.kind === 'sweep') events.publish({ type: 'sweep', id: job.id });
    },
    onEvents: () => undefined,
    onSettled: () => undefined,
  });
  const catalogue = new CatalogueJobs({ store, supervisor, events, dataFolder });
  supervisor.listen(catalogueStudyCheckpoints(store, events, catalogue, log));
  const sampleFolder = join(repositoryFolder, 'resources', 'sample-study');
  const { version } = packageJson;
  const play = new PlayProcess();
  return {
    version,
    dataFolder,
    sampleFolder,
    cores,
    store,
    events,
    compute,
    supervisor,
    studies,
    catalogue,
    play,
    restart,
    log,
  };
}

/** Goes on with what a crash of the last engine has left running. */
function recover({ store, supervisor, studies, catalogue, log }: EngineContext): void {
  const left = store.jobs.withState('running', 'queued').length;
  if (left > 0) log.warn({ jobs: left }, 'The last engine did not stop in order');
  // The desktop shell says so when it starts an engine in place of one that died.
  if (left > 0 || process.env['ROTASCOPE_RESTARTED'] === '1') {
    const jobs = left === 1 ? ' The job that was under way goes on.' : ` The ${left} jobs that were under way go on.`;
    store.app.addNotice(`The engine was restarted after it had ended unexpectedly.${left > 0 ? jobs : ''}`);
  }
  // A restart of this process that the user asks for is none.
  delete process.env['ROTASCOPE_RESTARTED'];
  studies.recover();
  catalogue.recover();
  supervisor.recover().catch((error: unknown) => log.error({ err: error }, 'Recovery failed'));
}

async function startLocked(
  dataFolder: string,
  options: EngineOptions,
  notMoved: string | null,
  release: () => void,
): Promise<Engine> {
  const log = openLog(join(dataFolder, 'engine.log'));
  const notRestored = await applyRestore(dataFolder);
  const store = await openStore(join(dataFolder, databaseName));
  if (store.settleIn(dataFolder)) log.info('The data folder came from another place; its paths were changed');
  for (const notice of [notMoved, notRestored]) if (notice !== null) store.app.addNotice(notice);
  const context = makeContext(dataFolder, store, log, options.onRestart ?? null);
  const { events, compute, supervisor, studies } = context;
  const before = readEngineFile(dataFolder);
  const token = before?.token ?? newToken();
  const server = await startServerNearby(
    {
      port: options.port ?? before?.port ?? 0,
      staticFolder: options.rendererFolder ?? join(repositoryFolder, 'out', 'renderer'),
      token,
      engineId: randomUUID(),
      version: context.version,
      call: makeCall(composeHandlers(handlerGroups(context)), log, process.env['NODE_ENV'] === 'test'),
      subscribe: (listener) => events.subscribe(listener),
    },
    options.port !== undefined && options.port !== 0,
  );
  const { port, origin } = server;
  const { pid } = process;
  writeEngineFile(dataFolder, { pid, port, token, version: context.version, startedAtMs: Date.now() });
  recover(context);
  compute.start(() => events.publish({ type: 'app' }));
  log.info({ port }, 'The engine answers');
  const stop = async (): Promise<void> => {
    compute.stop();
    context.play.stop();
    context.catalogue.stop();
    await supervisor.stop();
    studies.stop();
    await server.close();
    store.close();
    release();
    log.info('The engine has stopped');
  };
  const address = addressWithToken(origin, token);
  return { listening: { type: 'listening', origin, address, port, token, pid, dataFolder, existing: false }, stop };
}
