/**
 * The engine for a command: the one at the address of --connect, else the one of the data folder, which runs already or
 * is started for as long as the command takes.
 */
import { posix, resolve, win32 } from 'node:path';
import { connectEngine } from '../api/engineClient.ts';
import type { EngineClient } from '../api/engineClient.ts';
import { readEngineFile } from '../api/engineFile.ts';
import type { EngineEvent } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { addressWithToken, parseEngineAddress } from '../contract/wire.ts';
import { startEngine } from '../engine.ts';
import type { Engine } from '../engine.ts';

export interface Attached {
  client: EngineClient;
  /** Where a browser finds the same engine. */
  address: string;
  /** False when another process runs the engine: it stays when the command ends. */
  owned: boolean;
  /** Closes the connection, and stops the engine when it is this command's own. */
  close(): Promise<void>;
}

/** Set by the command line's --connect; empty without it. */
const connectAddress = (): string => process.env['ROTASCOPE_CONNECT'] ?? '';

/** Words for a refusal that may come from a path of the wrong machine. */
export const pathHint = (): string =>
  connectAddress() === '' ? '' : "Paths are those of the engine's machine: copy the files there first.";

/**
 * A path that a user gave, for the engine: absolute on its machine.
 * @throws INVALID_REQUEST a relative one, for an engine that was connected to
 */
export function enginePath(path: string): string {
  if (connectAddress() === '') return resolve(path);
  if (posix.isAbsolute(path) || win32.isAbsolute(path)) return path;
  throw new AppError(
    'INVALID_REQUEST',
    `"${path}" starts from a folder of this machine, and the engine may run on another.`,
    {
      hint: "Give the whole path as it is on the engine's machine.",
    },
  );
}

type OnEvents = (events: EngineEvent[]) => void;

async function connectRunning(folder: string, onEvents: OnEvents): Promise<Attached | null> {
  const file = readEngineFile(folder);
  if (!file) return null;
  try {
    const client = await connectEngine({ port: file.port, token: file.token, onEvents });
    const address = addressWithToken(`http://127.0.0.1:${file.port}`, file.token);
    return { client, address, owned: false, close: () => Promise.resolve(client.close()) };
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFLICT') throw error;
    // Nobody answers there any more, or another program has the port: the lock decides.
    return null;
  }
}

async function connectTo(text: string, onEvents: OnEvents): Promise<Attached> {
  const { origin, port, token } = parseEngineAddress(text);
  const nextStep = `See that the tunnel to port ${port} stands and that the engine runs; then give the same command again.`;
  const client = await connectEngine({ port, token, onEvents, nextStep });
  const address = addressWithToken(origin, token);
  return { client, address, owned: false, close: () => Promise.resolve(client.close()) };
}

/**
 * @throws INVALID_REQUEST the address of --connect is none
 * @throws NOT_FOUND, UNAUTHORIZED, CONFLICT the engine of --connect does not answer, does not know the token, or has another contract
 * @throws ENGINE_LOCKED an engine holds the folder but does not answer
 * @throws STORE_INVALID the database is damaged or newer than this program
 */
export async function attachEngine(dataFolder: string, onEvents: OnEvents = () => undefined): Promise<Attached> {
  if (connectAddress() !== '') return connectTo(connectAddress(), onEvents);
  const folder = resolve(dataFolder);
  const running = await connectRunning(folder, onEvents);
  if (running) return running;
  let engine: Engine;
  try {
    engine = await startEngine({ dataFolder: folder });
  } catch (error) {
    // Another command was faster.
    const other =
      error instanceof AppError && error.code === 'ENGINE_LOCKED' && (await connectRunning(folder, onEvents));
    if (!other) throw error;
    return other;
  }
  const { port, token, address } = engine.listening;
  const client = await connectEngine({ port, token, onEvents });
  const close = async (): Promise<void> => {
    client.close();
    await engine.stop();
  };
  return { client, address, owned: true, close };
}
