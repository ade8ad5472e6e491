/** The engine of a data folder for a command: the one that runs, or one of its own for as long as the command takes. */
import { resolve } from 'node:path';
import { connectEngine } from '../api/engineClient.ts';
import type { EngineClient } from '../api/engineClient.ts';
import { readEngineFile } from '../api/engineFile.ts';
import type { EngineEvent } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { addressWithToken } from '../contract/wire.ts';
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

type OnEvents = (events: EngineEvent[]) => void;

async function connectRunning(folder: string, onEvents: OnEvents): Promise<Attached | null> {
  const file = readEngineFile(folder);
  if (!file) return null;
  try {
    const client = await connectEngine({ port: file.port, token: file.token, onEvents });
    const address = addressWithToken(`http://127.0.0.1:${file.port}`, file.token);
    return { client, address, owned: false, close: () => Promise.resolve(client.close()) };
  } catch {
    // Nobody answers there any more, or another program has the port: the lock decides.
    return null;
  }
}

/**
 * @throws ENGINE_LOCKED an engine holds the folder but does not answer
 * @throws STORE_INVALID the database is damaged or newer than this program
 */
export async function attachEngine(dataFolder: string, onEvents: OnEvents = () => undefined): Promise<Attached> {
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
