/** `rotascope serve`: the engine of one data folder in the foreground, until it is stopped. */
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { dataFolder, movedTo } from '../bootstrap/folders.mjs';
import { readEngineFile } from '../api/engineFile.ts';
import { AppError, toErrorShape } from '../contract/errors.ts';
import { addressWithToken, tunnelCommand } from '../contract/wire.ts';
import type { Listening } from '../contract/wire.ts';
import { startEngine, type Engine } from '../engine.ts';
import { startInBackground } from './background.ts';

export interface ServeOptions {
  data: string;
  port?: number;
  open: boolean;
  json: boolean;
  printAddress: boolean;
  background: boolean;
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

function announce(listening: Listening, { json, printAddress, background }: ServeOptions): void {
  const { address, dataFolder, existing, pid, port } = listening;
  if (json) return console.log(JSON.stringify(listening));
  if (printAddress) return console.log(address);
  const host = `${userInfo().username}@${hostname()}`;
  console.log(`${existing ? `Already served by process ${pid}: ` : 'Rotascope answers at '}${address}`);
  console.log(`Data folder: ${dataFolder}`);
  console.log(`From another machine, run this there and open the same address:\n  ${tunnelCommand(port, host)}`);
  if (existing) return;
  console.log(background ? `It runs in the background; kill ${pid} stops it.` : 'Ctrl+C stops it.');
}

/** Opens the user's browser; without one, the printed address has to do. */
function openBrowser(address: string): void {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  const child = spawn(opener, [address], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

/** Where the engine that holds the lock answers. @param error what is thrown when its file does not say so */
function runningEngine(folder: string, error: unknown): Listening {
  const file = readEngineFile(folder);
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

async function serveInBackground(options: ServeOptions): Promise<void> {
  const folder = resolve(options.data);
  const existing = await startInBackground(folder, options.port);
  announce({ ...runningEngine(folder, new AppError('INTERNAL', 'The engine has ended again.')), existing }, options);
}

async function serve(options: ServeOptions): Promise<void> {
  if (options.background) return serveInBackground(options);
  const opens = options.open && !options.json && !options.printAddress;
  let started;
  try {
    started = await start(options);
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'ENGINE_LOCKED')) throw error;
    const existing = runningEngine(options.data, error);
    announce(existing, options);
    if (opens) openBrowser(existing.address);
    return;
  }
  // A shell that starts the engine with --json holds its input: when the shell dies, so does the engine.
  // Listened for before the announcement: whoever reads that may stop us at once.
  const stopped = untilStopped(options.json && inputIsPipe());
  announce(started.engine.listening, options);
  if (opens) openBrowser(started.engine.listening.address);
  while ((await Promise.race([started.restart, stopped])) === 'restart') {
    await started.engine.stop();
    started = await start(options);
    announce(started.engine.listening, options);
  }
  await started.engine.stop();
  process.exit(0);
}

const help = `
The engine answers on this machine only (127.0.0.1), to whoever has the token of its address. From another machine the way is a
tunnel, whose line is printed:

  ssh -N -L PORT:127.0.0.1:PORT user@host

Then the same address works there, in a browser, in the desktop's Settings > Remote engine (which can open the tunnel itself),
and for commands: rotascope --connect 'http://127.0.0.1:PORT/#token=...' study miniature. Other users of a machine see what a
command line says; ROTASCOPE_CONNECT keeps the token out of it:

  export ROTASCOPE_CONNECT="$(ssh user@host rotascope serve --background --print-address)"

Port and token stay the same over restarts. Data folder, jobs and paths are those of the engine's machine.`;

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the lab on this machine, for a browser or the desktop window')
    .addOption(dataOption())
    .option('--port <number>', 'port on 127.0.0.1 (the same as last time unless given)', parsePort)
    .option('--no-open', 'do not open the browser')
    .option('--json', 'print where it answers as one JSON line; ends with its standard input', false)
    .option('--print-address', 'print the address with its token and nothing else', false)
    .option(
      '--background',
      'start it in the background, or find the one that runs; print where it answers, and end',
      false,
    )
    .addHelpText('after', help)
    .action((options: ServeOptions) =>
      serve(options).catch((error: unknown) => {
        const { message, hint } = toErrorShape(error);
        console.error(hint ? `${message}\n${hint}` : message);
        process.exit(1);
      }),
    );
}
