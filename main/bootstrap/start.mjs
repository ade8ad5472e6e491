/** `npm start`: prepares this clone and machine, starts the engine, opens the window or the browser. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureElectron } from './electronBinary.mjs';
import { dataFolder, repositoryFolder } from './folders.mjs';
import { prepare, runMain } from './prepare.mjs';
import { runInForeground } from './processes.mjs';
import { stepReporter } from './progress.mjs';
import { StepFailure } from './stepFailure.mjs';

const usage = `Usage: npm start -- [options]

Installs what is missing, starts the lab and opens it in a window, or in the browser where there is no Electron.

  --browser      open the browser, not the window
  --no-open      open nothing; print the address
  --port N       port on 127.0.0.1; opens the browser, not the window
  --data DIR     data folder
  --backend NAME what computes: auto (the fastest), tensorflow, webgpu, wasm
  --no-native    do not install or use TensorFlow and OpenBLAS (WebAssembly instead)
  --help         this text`;

await runMain(async () => {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const reporter = stepReporter(process.stdout);
  const node = await prepare(reporter, { builds: ['production'], native: !options['no-native'] });
  const wanted = whatToOpen(options);
  const electron = wanted === 'window' ? await ensureElectron(reporter.report) : '';
  reporter.end();
  if (options.data) process.env['ROTASCOPE_DATA'] = options.data;
  if (options.backend) process.env['ROTASCOPE_BACKEND'] = options.backend;
  if (electron) return openWindow(electron, options);
  if (wanted === 'window') {
    console.log('The Electron binary could not be downloaded, so the lab opens in the browser. It is the same lab.');
  }
  return serve(node, wanted !== 'nothing', options);
});

/** @typedef {{ help?: boolean, browser?: boolean, 'no-open'?: boolean, 'no-native'?: boolean, port?: string, data?: string, backend?: string }} Options */

/** @returns {Options} */
function readOptions() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        browser: { type: 'boolean' },
        'no-open': { type: 'boolean' },
        'no-native': { type: 'boolean' },
        port: { type: 'string' },
        data: { type: 'string' },
        backend: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new StepFailure(`${/** @type {Error} */ (error).message}.`, 'Run "npm start -- --help" for the options.');
  }
}

/**
 * @param {Options} options
 * @returns {'window' | 'browser' | 'nothing'}
 */
function whatToOpen(options) {
  if (options['no-open'] || !hasDisplay()) return 'nothing';
  // The engine's port is an option of `serve`; Chromium's sandbox, which the window keeps on, refuses root.
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0;
  if (options.browser || options.port || asRoot) return 'browser';
  return 'window';
}

function hasDisplay() {
  return process.platform !== 'linux' || !!(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']);
}

/**
 * @param {string} node
 * @param {boolean} open
 * @param {Options} options
 */
function serve(node, open, { port, data }) {
  const args = [
    'serve',
    ...(open ? [] : ['--no-open']),
    ...(port ? ['--port', port] : []),
    ...(data ? ['--data', data] : []),
  ];
  return runInForeground(node, [join(repositoryFolder, 'main/cli.ts'), ...args], {
    env: { ...process.env, ROTASCOPE_RENDERER: join(repositoryFolder, 'out/renderer') },
  });
}

/**
 * The window starts and supervises the engine; the address is printed as soon as the engine says it.
 * @param {string} electron
 * @param {Options} options
 */
function openWindow(electron, { data }) {
  const engineFile = join(dataFolder(), 'engine.json');
  const startedAtMs = Date.now();
  const looking = setInterval(() => {
    const engine = existsSync(engineFile) ? readEngine(engineFile) : null;
    if (!engine || (engine.startedAtMs < startedAtMs && !isAlive(engine.pid))) return;
    clearInterval(looking);
    console.log(`Rotascope answers at http://127.0.0.1:${engine.port}/#token=${engine.token}`);
  }, 300);
  looking.unref();
  return runInForeground(electron, [repositoryFolder, ...(data ? ['--data', data] : [])], { cwd: repositoryFolder });
}

/** @param {string} path */
function readEngine(path) {
  try {
    return /** @type {{ pid: number, port: number, token: string, startedAtMs: number }} */ (
      JSON.parse(readFileSync(path, 'utf8'))
    );
  } catch {
    return null; // being written
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
