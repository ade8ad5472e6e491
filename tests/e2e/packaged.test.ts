/** The unpacked desktop app, made with the Electron that is at hand: its window, its own engine, its engine's hashes. */
import { appendFileSync, readFileSync, rmSync, truncateSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageApp } from '../../electron/packaging/packageApp.ts';
import type { Packaged } from '../../electron/packaging/packageApp.ts';
import { callEngine } from '../../electron/engineConnection.ts';
import type { Listening } from '../../main/contract/wire.ts';
import { built } from './builds.ts';
import { startDisplay } from './display.ts';
import type { Display } from './display.ts';
import { launchElectron } from './electronApp.ts';
import type { ElectronApp } from './electronApp.ts';
import { temporaryFolder } from './engineUnderTest.ts';
import { describeWith, oldElectron, xvfb } from './parts.ts';
import { until } from './waiting.ts';

describeWith([oldElectron, xvfb], 'The unpacked app in Electron 9.4.1', () => {
  const data = temporaryFolder('packaged-data');
  const made = temporaryFolder('packaged');
  let packaged: Packaged;
  let display: Display;
  let app: ElectronApp | undefined;

  beforeAll(async () => {
    packaged = await packageApp({
      ...{ out: await built('old'), moduleType: 'commonjs', folder: made.folder, unpacked: true },
      ...{ electronVersion: '9.4.1', electronDist: dirname(oldElectron.path) },
    });
    display = await startDisplay();
  }, 240_000);
  afterAll(async () => {
    await app?.kill();
    await display?.stop();
    data.remove();
    made.remove();
  });
  const launch = async (address?: RegExp): Promise<ElectronApp> => {
    const executable = join(packaged.unpackedFolder, 'rotascope');
    app = await launchElectron({ executable, dataFolder: data.folder, display: display.name }, address);
    return app;
  };
  const engineFolder = () => join(packaged.unpackedFolder, 'resources', 'engine');
  const settled = (window: ElectronApp) =>
    until('the page to connect', () => window.inPage('document.querySelector("main") !== null'));

  test('fuses of an Electron without any are reported as not read', () => {
    expect(packaged.fuses).toEqual({ notRun: 'Electron 9.4.1 carries no fuses.' });
  });

  test('it runs its own engine on its own Node, and shows its page', async () => {
    const window = await launch();
    await settled(window);
    expect(await window.inMain(`require('electron').app.isPackaged`)).toBe(true);
    const engine = window.processes().find(({ command }) => command.includes('cli.ts serve'));
    expect(engine?.command).toContain(join(engineFolder(), 'node_modules', 'node', 'bin', 'node'));
    expect(engine?.command).toContain(join(engineFolder(), 'main', 'cli.ts'));
    const file = JSON.parse(readFileSync(join(data.folder, 'engine.json'), 'utf8')) as Listening;
    const listening = { ...file, origin: `http://127.0.0.1:${file.port}` };
    expect((await callEngine(listening, 'app.state', {})).sampleAvailable).toBe(true);
    await window.kill();
  });

  test('a changed file of the engine is named, and the engine does not start; as shipped, it does', async () => {
    const changed = join(engineFolder(), 'main', 'ml', 'reversion', 'revertMatrix.ts');
    const shipped = statSync(changed).size;
    appendFileSync(changed, '\n');
    rmSync(join(data.folder, 'engine.json'));
    const window = await launch(/^data:/);
    const text = await window.inPage<string>('document.body.innerText');
    expect(text).toContain('A file of Rotascope is not as shipped, so the engine was not started.');
    expect(text).toContain('main/ml/reversion/revertMatrix.ts was changed.');
    expect(window.processes().some(({ command }) => command.includes('cli.ts serve'))).toBe(false);
    truncateSync(changed, shipped);
    await window.inPage(`document.querySelector('a.primary').click()`);
    await until('the page', () => window.inPage(`location.protocol === 'http:'`));
    await settled(window);
  });
});
