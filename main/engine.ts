/** Composition root: one engine for one data folder, from its lock to its address. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };
import { appHandlers } from './api/app.ts';
import { ComputeProbe } from './api/computeProbe.ts';
import type { EngineContext } from './api/context.ts';
import { lockDataFolder, newToken, readEngineFile, writeEngineFile } from './api/engineFile.ts';
import { EventBus } from './api/eventBus.ts';
import { composeHandlers, makeCall } from './api/handlers.ts';
import type { HandlerGroup } from './api/handlers.ts';
import { addressWithToken } from './contract/wire.ts';
import type { Listening } from './contract/wire.ts';
import { physicalCores } from './jobs/physicalCores.ts';
import { openLog } from './logging/log.ts';
import { startServer } from './server.ts';
import type { EngineServer, ServerOptions } from './server.ts';
import { openStore } from './store/store.ts';
import { calls } from './contract/api.ts';
import { AppError } from './contract/errors.ts';

const repositoryFolder = fileURLToPath(new URL('..', import.meta.url));

export interface EngineOptions {
  dataFolder: string;
  /** The same port as last time when absent, else any free one. */
  port?: number | undefined;
  /** Folder of the built interface; `out/renderer` unless given. */
  rendererFolder?: string | undefined;
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
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const dataFolder = resolve(options.dataFolder);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const lock = lockDataFolder(dataFolder);
  try {
    return await startLocked(dataFolder, options, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function pending(): HandlerGroup {
  const names = Object.keys(calls).filter((name) => !/^app\.(?!selfTest)|list$/.test(name));
  const group: Record<string, unknown> = Object.fromEntries(
    names.map((name) => [
      name,
      () => {
        throw new AppError('INTERNAL', `${name} is not there yet.`);
      },
    ]),
  );
  return group;
}

async function startLocked(dataFolder: string, options: EngineOptions, release: () => void): Promise<Engine> {
  const log = openLog(join(dataFolder, 'engine.log'));
  const store = await openStore(join(dataFolder, 'rotascope.sqlite'));
  const events = new EventBus();
  const compute = new ComputeProbe(log);
  const context: EngineContext = {
    version: packageJson.version,
    dataFolder,
    sampleFolder: join(repositoryFolder, 'resources', 'sample-study'),
    slots: physicalCores(),
    store,
    events,
    compute,
    log,
  };
  const lists: HandlerGroup = {
    'studies.list': () => [],
    'jobs.list': ({ limit }) => store.jobs.list(limit),
    'checkpoints.list': () => store.checkpoints.list(),
  };
  const handlers = composeHandlers([appHandlers(context), lists, pending()]);
  const before = readEngineFile(dataFolder);
  const token = before?.token ?? newToken();
  const server = await startServerNearby(
    {
      port: options.port ?? before?.port ?? 0,
      staticFolder: options.rendererFolder ?? join(repositoryFolder, 'out', 'renderer'),
      token,
      engineId: randomUUID(),
      call: makeCall(handlers, log, process.env['NODE_ENV'] === 'test'),
      subscribe: (listener) => events.subscribe(listener),
    },
    options.port !== undefined && options.port !== 0,
  );
  writeEngineFile(dataFolder, {
    pid: process.pid,
    port: server.port,
    token,
    version: packageJson.version,
    startedAtMs: Date.now(),
  });
  compute.start(() => events.publish({ type: 'app' }));
  log.info({ port: server.port }, 'The engine answers');
  const stop = async (): Promise<void> => {
    compute.stop();
    await server.close();
    store.close();
    release();
  };
  const listening: Listening = {
    type: 'listening',
    origin: server.origin,
    address: addressWithToken(server.origin, token),
    port: server.port,
    token,
    pid: process.pid,
    dataFolder,
    existing: false,
  };
  return { listening, stop };
}
