/**
 * Another machine's engine in a real Electron window. The other machine is a second engine process with a data folder of
 * its own; `ssh` is the real one where an SSH server is at hand, else the stand-in of the integration tests.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { callEngine } from '../../electron/engineConnection.ts';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import type { Listening } from '../../main/contract/wire.ts';
import { realSsh, sshServer, standInSsh } from '../integration/sshParts.ts';
import type { SshUnderTest } from '../integration/sshParts.ts';
import { built } from './builds.ts';
import type { BuildMode } from './builds.ts';
import { startDisplay } from './display.ts';
import type { Display } from './display.ts';
import { clickButton, launchElectron, spawnElectron } from './electronApp.ts';
import type { ElectronApp, ElectronOptions } from './electronApp.ts';
import { copyOfFixture, temporaryFolder } from './engineUnderTest.ts';
import { describeWith, xvfb } from './parts.ts';
import type { Part } from './parts.ts';
import { settingsOfTinyStudy } from './studySettings.ts';
import { sleepMs, until } from './waiting.ts';

const pictureFolder = join(repositoryFolder, 'test-results');
/** Every fifth one is told. */
const pretrainSteps = 5000;

export function describeRemote(name: string, executable: Part, mode: BuildMode): void {
  describeWith([executable, xvfb], name, () => {
    const here = temporaryFolder('here');
    const there = temporaryFolder('there');
    const sshFolder = temporaryFolder('ssh');
    let ssh: SshUnderTest;
    let display: Display;
    let launch: ElectronOptions;
    let app: ElectronApp;
    let command = '';

    const engineOf = (folder: string): Listening => {
      const file = JSON.parse(readFileSync(join(folder, 'engine.json'), 'utf8')) as Listening;
      const origin = `http://127.0.0.1:${file.port}`;
      return { ...file, origin, address: `${origin}/#token=${file.token}` };
    };
    const click = (label: string) => clickButton(app, label);
    const type = (field: string, text: string) =>
      until(`the field ${field}`, () =>
        app.inPage(`(() => {
          const input = document.querySelector('input[name=${field}]');
          if (input === null) return false;
          input.value = ${JSON.stringify(text)};
          input.dispatchEvent(new Event('input'));
          return true;
        })()`),
      );
    const text = () => app.inPage<string>('document.body.innerText');
    const says = (words: string, timeoutMs = 30_000) =>
      until(`"${words}"`, async () => (await text()).includes(words), timeoutMs);
    const go = async (path: string): Promise<void> => {
      await app.inPage(`(location.assign('${path}'), true)`);
      await until(path, () => app.inPage(`location.pathname === '${path}' && document.querySelector('main') !== null`));
    };
    const window = `require('electron').BrowserWindow.getAllWindows()[0]`;
    /** Another window has taken the place of the one before; its page is at `origin`. */
    const windowOf = async (origin: RegExp): Promise<void> => {
      // Two commands over SSH, each a start of Node: long where others use the cores.
      const address = () => app.inMain<string>(`${window}.webContents.getURL()`);
      await until('the other window', async () => origin.test(await address()), 60_000);
      await app.reattach(origin);
      await until('the page to connect', () => app.inPage('document.querySelector("footer.foot") !== null'), 30_000);
    };
    const title = () => app.inMain<string>(`${window}.getTitle()`);
    const picture = async (what: string): Promise<void> => {
      await sleepMs(300); // The window draws it.
      const png = await app.inMain<string>(
        `${window}.webContents.capturePage().then((image) => image.toPNG().toString('base64'))`,
      );
      mkdirSync(pictureFolder, { recursive: true });
      writeFileSync(join(pictureFolder, `electron-${mode}-${what}.png`), Buffer.from(png, 'base64'));
    };
    const menuItem = (id: string) => `require('electron').Menu.getApplicationMenu().getMenuItemById('${id}')`;
    const endProcess = (pid: number): void => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Ended with the app.
      }
    };
    const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
    /** The machine cannot be reached until the returned function is called. */
    const unplug = (): (() => void) => {
      const script = join(sshFolder.folder, 'bin', 'ssh');
      const whole = readFileSync(script);
      writeFileSync(script, '#!/bin/sh\necho "ssh: connect to host lab port 22: Connection refused" >&2\nexit 255\n');
      process.kill(ssh.lastPid(), 'SIGKILL');
      return () => {
        writeFileSync(script, whole);
        chmodSync(script, 0o755);
      };
    };
    let far: Listening;
    const elsewhere = (): RegExp => new RegExp(`^http://127\\.0\\.0\\.1:(?!${engineOf(here.folder).port}/)\\d+/`);

    beforeAll(async () => {
      const out = await built(mode);
      ssh = sshServer === '' ? standInSsh(sshFolder.folder) : await realSsh(sshFolder.folder);
      const nodePath = process.execPath;
      const environment = `ROTASCOPE_DATA=${there.folder} ROTASCOPE_RENDERER=${join(out, 'renderer')}`;
      command = `env ${environment} ${nodePath} ${join(repositoryFolder, 'main', 'cli.ts')}`;
      display = await startDisplay();
      launch = {
        executable: executable.path,
        app: mode === 'old' ? join(out, 'main') : repositoryFolder,
        dataFolder: here.folder,
        display: display.name,
        environment: { PATH: ssh.path },
      };
      app = await launchElectron(launch);
      await until('the page to connect', () => app.inPage('document.querySelector("main") !== null'));
    });
    afterAll(async () => {
      await app?.kill();
      // Started over SSH, it is none of the app's processes.
      if (existsSync(join(there.folder, 'engine.json'))) endProcess(engineOf(there.folder).pid);
      await ssh?.stop();
      await display?.stop();
      for (const { remove } of [here, there, sshFolder]) remove();
    });
    const explainFailure = (): void => onTestFailed(() => console.error(app.output.join('\n')));

    test('what is wrong with a machine is said in Settings, with the next step', async () => {
      await go('/settings');
      await type('host', 'stranger');
      await type('command', command);
      await click('Connect');
      await says('The key of stranger is not known here yet.');
      await says('ssh stranger');
      await picture('remote-refused');
      await type('host', '-oProxyCommand=touch');
      await click('Connect');
      await says('is not a name that ssh takes');
    });

    test('over SSH the window becomes that of the other machine, and says so', async () => {
      explainFailure();
      await type('host', 'lab');
      await click('Connect');
      await windowOf(elsewhere());
      far = engineOf(there.folder);
      await says('Remote: lab');
      expect(await title()).toMatch(/^Remote: lab - .*Rotascope/);
      expect(await app.inMain(`require('electron').BrowserWindow.getAllWindows().length`)).toBe(1);
      await go('/settings');
      await says('This window shows the engine on lab');
      await says(there.folder);
      await picture('remote-settings');
    });

    test('what is of this machine is not given to the page of another one', async () => {
      expect(await app.inPage('window.rotascope.remote')).toBe('lab');
      for (const refused of [
        'openFolder()',
        'openFiles()',
        'recentRemotes()',
        `connectRemote({ host: 'lab', command: 'rotascope' })`,
        `saveFile('only-a-path.svg')`,
      ])
        await expect(app.inPage(`window.rotascope.${refused}`), refused).rejects.toThrow(/may not|nothing to save/);
      // Its cache, its service workers: in memory, and apart from those of this machine's engine.
      expect(
        await app.inMain(`${window}.webContents.session !== require('electron').session.defaultSession
          && ${window}.webContents.getLastWebPreferences().sandbox`),
      ).toBe(true);
      const chosen = join(copyOfFixture('tiny-llama', here.folder), 'config.json');
      await app.inPage(`(() => {
        const input = Object.assign(document.createElement('input'), { type: 'file', id: 'chosen' });
        input.addEventListener('change', () => { window.chosenPaths = window.rotascope.pathsForFiles([...input.files]); });
        document.body.append(input);
      })()`);
      const { root } = await app.page.DOM.getDocument();
      const { nodeId } = await app.page.DOM.querySelector({ nodeId: root.nodeId, selector: '#chosen' });
      await app.page.DOM.setFileInputFiles({ nodeId, files: [chosen] });
      expect(await until('the change event', () => app.inPage('window.chosenPaths'))).toEqual([]);
      await app.inPage('document.querySelector("#chosen").remove()');
      // What the page holds may still be saved where the user says.
      const saved = join(here.folder, 'figure.svg');
      await app.inMain(`require('electron').dialog.showSaveDialog =
        async () => ({ canceled: false, filePath: ${JSON.stringify(saved)} }); true`);
      await app.inPage(`window.rotascope.saveFile('figure.svg', new TextEncoder().encode('<svg/>'))`);
      expect(readFileSync(saved, 'utf8')).toBe('<svg/>');
    });

    test('opening asks for a path of that machine; files of this one are opened here, after a question', async () => {
      await app.inMain(`(${menuItem('openFolder')}.click(), true)`);
      await says('A path on lab');
      await picture('remote-open');
      await click('Close');
      await app.inPage(`(() => {
        const data = new DataTransfer();
        data.items.add(new File(['{}'], 'config.json'));
        window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
      })()`);
      await says('What was dropped is not on lab');
      await click('Close');
      await app.inMain(`globalThis.asked = [];
        require('electron').dialog.showMessageBox = async (...args) => {
          globalThis.asked.push(args[args.length - 1].message);
          return { response: 1, checkboxChecked: false };
        }; true`);
      const second = spawnElectron({ ...launch, paths: [join(here.folder, 'tiny-llama')] });
      expect(await second.ended).toBe(0);
      await until('the question', () => app.inMain('globalThis.asked.length === 1'));
      expect(await app.inMain('globalThis.asked[0]')).toBe('The window shows the engine on lab.');
      expect(await text()).not.toContain('tiny-llama');
    });

    test('events that a dropped tunnel kept away are there when it is back', { timeout: 240_000 }, async () => {
      explainFailure();
      const settings = structuredClone(settingsOfTinyStudy);
      settings.name = 'Far study';
      settings.pretrain = { ...settings.pretrain, steps: pretrainSteps };
      const { id } = await callEngine(far, 'studies.create', { settings, new: true });
      await callEngine(far, 'studies.start', { id });
      await go(`/studies/${id}`);
      const shownSteps = () =>
        app.inPage<number>(`[...document.querySelector('#app').__vue_app__.config.globalProperties.$pinia
          .state.value.openStudy.metrics.values()].reduce((sum, stage) => sum + stage.size, 0)`);
      const all = async () => (await callEngine(far, 'studies.metrics', { id, afterRevision: 0 })).rows;
      await until('the first steps', async () => (await shownSteps()) > 50, 90_000);
      const replug = unplug();
      await says('The connection to lab is lost; its jobs go on. lab does not answer.');
      await picture('remote-lost');
      const atDrop = await shownSteps();
      await until('steps that the page does not hear of', async () => (await all()).length > atDrop + 200, 60_000);
      expect(await shownSteps()).toBe(atDrop);
      replug();
      await click('Try now');
      await until('the banner to go', async () => !(await text()).includes('is lost'), 30_000);
      await until(
        'the end of the study',
        async () => (await callEngine(far, 'studies.get', { id })).state === 'succeeded',
        120_000,
      );
      const keys = (rows: Awaited<ReturnType<typeof all>>): string[] =>
        rows.map(({ stageId, step }) => `${stageId} ${step}`).sort();
      const there = [...new Set(keys(await all()))];
      expect(there.length).toBeGreaterThan(pretrainSteps / 5);
      const shown = await until('every step', async () => {
        const found = await app.inPage<string[]>(`[...document.querySelector('#app').__vue_app__.config.globalProperties
          .$pinia.state.value.openStudy.metrics].flatMap(([stage, steps]) => [...steps.keys()].map((step) => stage + ' ' + step))`);
        return found.length === there.length && found;
      });
      expect(shown.sort()).toEqual(there);
      await picture('remote-study');
    });

    test('a page that cannot be loaded gives way to the ways out, and to the lab when the tunnel is back', async () => {
      const replug = unplug();
      await says('is lost');
      await app.inMain(`(${window}.webContents.reload(), true)`);
      await app.reattach(/^data:/);
      await says('The engine on lab cannot be reached.');
      expect(await app.inPage(`[...document.querySelectorAll('a')].map((link) => link.innerText)`)).toEqual([
        'Try again',
        'Back to this machine',
        'Quit',
      ]);
      expect(await title()).toMatch(/^Remote: lab/);
      await picture('remote-unreachable');
      replug();
      await app.inPage(`document.querySelector('a.primary').click()`);
      await windowOf(elsewhere());
      await says('Remote: lab');
    });

    test('the way back leaves the engine there and the tunnel nowhere; the machine is remembered, no token is', async () => {
      const tunnel = ssh.lastPid();
      await click('Back to this machine');
      await windowOf(new RegExp(`^${engineOf(here.folder).origin}/`));
      expect(await title()).not.toContain('Remote');
      await until('the tunnel to end', () => !isAlive(tunnel), 30_000);
      expect((await callEngine(far, 'app.state', {})).dataFolder).toBe(there.folder);
      const kept = readFileSync(join(here.folder, 'shell', 'window.json'), 'utf8');
      expect(kept).toContain('"lab"');
      await app.inMain(`(${menuItem('copyDiagnostics')}.click(), true)`);
      const diagnostics = await until('the diagnostics', async () => {
        const copied = await app.inMain<string>(`require('electron').clipboard.readText()`);
        return copied.startsWith('Rotascope') && copied;
      });
      for (const token of [far.token, engineOf(here.folder).token])
        for (const written of [kept, diagnostics, app.output.join('\n')]) expect(written).not.toContain(token);
      await go('/settings');
      await click('Connect to lab');
      await windowOf(elsewhere());
      await says('Remote: lab');
      await app.inMain(`(${menuItem('leaveRemote')}.click(), true)`);
      await windowOf(new RegExp(`^${engineOf(here.folder).origin}/`));
    });

    test('at an address: of a tunnel that stands, not of this engine, not with another token', async () => {
      await go('/settings');
      await type('address', engineOf(here.folder).address);
      await click('Open');
      await says("This is the address of this machine's own engine.");
      await type('address', far.address.replace(/.{6}$/, 'wrong0'));
      await click('Open');
      await says('The engine there does not know this token.');
      await type('address', far.address);
      await click('Open');
      await windowOf(new RegExp(`^${far.origin}/`));
      await says(`Remote: 127.0.0.1:${far.port}`);
      await picture('remote-address');
    });

    test('a terminated shell takes its tunnel along, and leaves the engine there', async () => {
      await click('Back to this machine');
      await windowOf(new RegExp(`^${engineOf(here.folder).origin}/`));
      await go('/settings');
      await click('Connect to lab');
      await windowOf(elsewhere());
      const tunnel = ssh.lastPid();
      expect(isAlive(tunnel)).toBe(true);
      process.kill(app.pid, 'SIGKILL');
      await app.ended;
      await until('the tunnel to end', () => !isAlive(tunnel), 30_000);
      expect((await callEngine(far, 'app.state', {})).dataFolder).toBe(there.folder);
    });
  });
}
