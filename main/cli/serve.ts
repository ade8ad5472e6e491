/** `rotascope serve`: the engine of one data folder in the foreground, until it is stopped. */
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { dataFolder, movedTo } from '../bootstrap/folders.mjs';
import { readEngineFile } from '../api/engineFile.ts';
import { AppError, toErrorShape } from '../contract/errors.ts';
import { addressWithToken } from '../contract/wire.ts';
import type { Listening } from '../contract/wire.ts';
import { startEngine, type Engine } from '../engine.ts';

export interface ServeOptions {
  data: string;
  port?: number;
  open: boolean;
  json: boolean;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('A port is 0 to 65535.');
  return port;
}

export const dataOption = (): Option =>
  new Option('--data <folder>', 'data folder')
    .default(dataFolder())
    .env('ROTASCOPE_DATA')
    .argParser((folder) => movedTo(resolve(folder)));

function announce(listening: Listening, json: boolean): void {
  if (json) console.log(JSON.stringify(listening));
  else if (listening.existing) console.log(`Already served by process ${listening.pid}: ${listening.address}`);
  else console.log(`Rotascope answers at ${listening.address}\nData folder: ${listening.dataFolder}\nCtrl+C stops it.`);
}

/** Opens the user's browser; without one, the printed address has to do. */
function openBrowser(address: string): void {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  const child = spawn(opener, [address], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

/** Where the engine that holds the lock answers. */
function existingEngine(folder: string, error: unknown): Listening {
  const file = error instanceof AppError && error.code === 'ENGINE_LOCKED' ? readEngineFile(folder) : null;
  if (!file) throw error;
  const origin = `http://127.0.0.1:${file.port}`;
  const { port, token, pid } = file;
  return {
    type: 'listening',
    origin,
    address: addressWithToken(origin, token),
    port,
    token,
    pid,
    dataFolder: resolve(folder),
    existing: true,
  };
}

/** Resolves when the process is asked to stop, or when the shell that holds its input goes. */
function untilStopped(followInput: boolean): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    if (!followInput) return;
    process.stdin.on('end', () => resolve()).on('close', () => resolve());
    process.stdin.resume();
  });
}

function inputIsPipe(): boolean {
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isSocket();
  } catch {
    return false;
  }
}

/** An engine, and whether it is asked to start again. */
async function start(options: ServeOptions): Promise<{ engine: Engine; restart: Promise<'restart'> }> {
  const rendererFolder = process.env['ROTASCOPE_RENDERER'];
  const { promise, resolve } = Promise.withResolvers<'restart'>();
  const { data, port } = options;
  const onRestart = (): void => resolve('restart');
  return { engine: await startEngine({ dataFolder: data, port, rendererFolder, onRestart }), restart: promise };
}

async function serve(options: ServeOptions): Promise<void> {
  let started;
  try {
    started = await start(options);
  } catch (error) {
    const existing = existingEngine(options.data, error);
    announce(existing, options.json);
    if (options.open && !options.json) openBrowser(existing.address);
    return;
  }
  // A shell that starts the engine with --json holds its input: when the shell dies, so does the engine.
  // Listened for before the announcement: whoever reads that may stop us at once.
  const stopped = untilStopped(options.json && inputIsPipe());
  announce(started.engine.listening, options.json);
  if (options.open && !options.json) openBrowser(started.engine.listening.address);
  while ((await Promise.race([started.restart, stopped])) === 'restart') {
    await started.engine.stop();
    started = await start(options);
    announce(started.engine.listening, options.json);
  }
  await started.engine.stop();
  process.exit(0);
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the lab on this machine, for a browser or the desktop window')
    .addOption(dataOption())
    .option('--port <number>', 'port on 127.0.0.1 (the same as last time unless given)', parsePort)
    .option('--no-open', 'do not open the browser')
    .option('--json', 'print where it answers as one JSON line; ends with its standard input', false)
    .action((options: ServeOptions) =>
      serve(options).catch((error: unknown) => {
        const { message, hint } = toErrorShape(error);
        console.error(hint ? `${message}\n${hint}` : message);
        process.exit(1);
      }),
    );
}
