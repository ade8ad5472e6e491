/**
 * The desktop shell in a real Electron window on a real engine. The same tests for every Electron that is at hand: the
 * old one of the tests (second build) and the current one that ships.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { callEngine } from '../../electron/engineConnection.ts';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import type { Listening } from '../../main/contract/wire.ts';
import { onRequest } from './browser.ts';
import { built } from './builds.ts';
import type { BuildMode } from './builds.ts';
import { startDisplay } from './display.ts';
import type { Display } from './display.ts';
import { clickButton, launchElectron, spawnElectron } from './electronApp.ts';
import type { ElectronApp, ElectronOptions } from './electronApp.ts';
import { copyOfFixture, temporaryFolder } from './engineUnderTest.ts';
import { describeWith, xvfb } from './parts.ts';
import type { Part } from './parts.ts';
import { settingsOfLongStudy } from './studySettings.ts';
import { sleepMs, until } from './waiting.ts';

const sampleStudy = join(repositoryFolder, 'resources', 'sample-study', 'study.json');
const pictureFolder = join(repositoryFolder, 'test-results');

interface Question {
  message: string;
  detail: string;
  buttons: string[];
}

export function describeShell(name: string, executable: Part, mode: BuildMode): void {
  describeWith([executable, xvfb], name, () => {
    const data = temporaryFolder('shell');
    const models = temporaryFolder('models');
    let display: Display;
    let appFolder: string;
    let app: ElectronApp;

    const launchOptions = (): ElectronOptions => ({
      executable: executable.path,
      app: appFolder,
      dataFolder: data.folder,
      display: display.name,
    });
    const engine = (): Listening => {
      const file = JSON.parse(readFileSync(join(data.folder, 'engine.json'), 'utf8')) as Listening;
      return { ...file, origin: `http://127.0.0.1:${file.port}` };
    };
    /** The engine's own process, as the system has it. */
    const enginePid = () => app.processes().find(({ command }) => command.includes('cli.ts serve'))?.pid;
    const settled = () => until('the page to connect', () => app.inPage('document.querySelector("main") !== null'));
    /** Answers every message box from now on with `response`, and keeps what was asked. */
    const answerQuestions = (response: number) =>
      app.inMain(`globalThis.questions = [];
        require('electron').dialog.showMessageBox = async (...args) => {
          const { message, detail, buttons } = args[args.length - 1];
          globalThis.questions.push({ message, detail, buttons });
          return { response: ${response}, checkboxChecked: false };
        }; true`);
    /** Of the window as the system shows it, to look at. */
    const picture = async (what: string): Promise<void> => {
      const png = await app.inMain<string>(`require('electron').BrowserWindow.getAllWindows()[0].webContents
        .capturePage().then((image) => image.toPNG().toString('base64'))`);
      mkdirSync(pictureFolder, { recursive: true });
      writeFileSync(join(pictureFolder, `electron-${mode}-${what}.png`), Buffer.from(png, 'base64'));
    };
    const questions = () => app.inMain<Question[]>('globalThis.questions');

    beforeAll(async () => {
      const out = await built(mode);
      appFolder = mode === 'old' ? join(out, 'main') : repositoryFolder;
      display = await startDisplay();
      app = await launchElectron({ ...launchOptions(), paths: [copyOfFixture('tiny-llama', models.folder)] });
      await settled();
    });
    afterAll(async () => {
      await app?.kill();
      await display?.stop();
      data.remove();
      models.remove();
    });
    const explainFailure = (): void => onTestFailed(() => console.error(app.output.join('\n')));

    test('a window opens on the page of the engine, isolated from Node', async () => {
      explainFailure();
      expect(await app.inPage('location.origin')).toBe(engine().origin);
      expect(await app.inPage('document.title')).toContain('Rotascope');
      expect(await app.inPage('[typeof require, typeof process, typeof module]')).toEqual(
        Array.from({ length: 3 }, () => 'undefined'),
      );
      // The token has left the address, and with it the history.
      expect(await app.inPage('location.href')).not.toContain('token');
    });

    test('the bridge answers: platform, version, paths of chosen files', async () => {
      expect(await app.inPage('Object.keys(window.rotascope).sort()')).toEqual([
        ...[
          'connectRemote',
          'fillMenu',
          'forgetRemote',
          'leaveRemote',
          'onMenu',
          'onTunnel',
          'openFiles',
          'openFolder',
        ],
        ...['pathsForFiles', 'platform', 'recentRemotes', 'remote', 'retryRemote', 'saveFile', 'saveFolder', 'version'],
      ]);
      const { version } = JSON.parse(readFileSync(join(repositoryFolder, 'package.json'), 'utf8')) as {
        version: string;
      };
      expect(await app.inPage('[window.rotascope.platform, window.rotascope.version]')).toEqual([
        process.platform,
        version,
      ]);
      const chosen = [join(models.folder, 'tiny-llama', 'config.json'), join(models.folder, 'tiny-llama', 'README.md')];
      for (const path of chosen) if (!existsSync(path)) writeFileSync(path, 'chosen by the test\n');
      await app.inPage(`(() => {
        const input = Object.assign(document.createElement('input'), { type: 'file', multiple: true, id: 'chosen' });
        input.addEventListener('change', () => { window.chosenPaths = window.rotascope.pathsForFiles([...input.files]); });
        document.body.append(input);
      })()`);
      const { root } = await app.page.DOM.getDocument();
      const { nodeId } = await app.page.DOM.querySelector({ nodeId: root.nodeId, selector: '#chosen' });
      await app.page.DOM.setFileInputFiles({ nodeId, files: chosen });
      expect(await until('the change event', () => app.inPage('window.chosenPaths'))).toEqual(chosen);
      await app.inPage('document.querySelector("#chosen").remove()');
    });

    test('native dialogs answer the page, and nobody else', async () => {
      const saved = join(models.folder, 'figure.svg');
      await app.inMain(`Object.assign(require('electron').dialog, {
        showOpenDialog: async (_window, { properties }) => ({ canceled: false, filePaths: ['/chosen/' + properties[0]] }),
        showSaveDialog: async (_window, { defaultPath }) =>
          defaultPath === 'figure.svg' ? { canceled: false, filePath: ${JSON.stringify(saved)} } : { canceled: true },
      }); true`);
      expect(await app.inPage('window.rotascope.openFolder()')).toEqual(['/chosen/openDirectory']);
      expect(await app.inPage('window.rotascope.openFiles()')).toEqual(['/chosen/openFile']);
      expect(await app.inPage(`window.rotascope.saveFile('figure.svg', new TextEncoder().encode('<svg/>'))`)).toBe(
        saved,
      );
      expect(readFileSync(saved, 'utf8')).toBe('<svg/>');
      expect(await app.inPage(`window.rotascope.saveFile('other.svg')`)).toBeNull();
    });

    test('the page cannot leave the engine, open windows or get permissions', async () => {
      const before = await app.inPage('location.href');
      await app.inMain(`globalThis.opened = [];
        require('electron').shell.openExternal = async (address) => { globalThis.opened.push(address); }; true`);
      await app.inPage(`window.open('https://example.invalid/a') === null`);
      await app.inPage(`window.open('file:///etc/hostname') === null`);
      await app.inPage(`(location.href = 'https://example.invalid/b', true)`);
      await until('the link to go outside', () => app.inMain('globalThis.opened.length === 2'));
      expect(await app.inMain('globalThis.opened')).toEqual(['https://example.invalid/a', 'https://example.invalid/b']);
      expect(await app.inPage('location.href')).toBe(before);
      expect(await app.inMain(`require('electron').BrowserWindow.getAllWindows().length`)).toBe(1);
      expect(await app.inPage('Notification.requestPermission()')).toBe('denied');
      for (const refused of [
        `navigator.mediaDevices.getUserMedia({ audio: true })`,
        `new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject))`,
      ])
        expect(await app.inPage(`${refused}.then(() => 'given', () => 'refused')`), refused).toBe('refused');
      // What the window was made with, as Electron has it.
      expect(
        await app.inMain(`(({ sandbox, contextIsolation, nodeIntegration, webviewTag, webSecurity }) =>
          ({ sandbox, contextIsolation, nodeIntegration, webviewTag, webSecurity: webSecurity !== false }))(
          require('electron').BrowserWindow.getAllWindows()[0].webContents.getLastWebPreferences())`),
      ).toEqual({
        ...{ sandbox: true, contextIsolation: true, webSecurity: true },
        ...{ nodeIntegration: false, webviewTag: false },
      });
      // The actions of the crash page are that page's alone.
      await app.inPage(`(location.href = 'rotascope-action:quit', true)`);
      await sleepMs(300);
      expect(await app.inPage('location.href')).toBe(before);
    });

    test('a path on the command line, and one of a second start, are offered and imported', async () => {
      const importOffered = async (folder: string): Promise<void> => {
        const name = basename(folder);
        await until(`the offer of ${name}`, () =>
          app.inPage(`document.querySelector('[role=dialog]')?.innerText.includes(${JSON.stringify(folder)})`),
        );
        await picture('import');
        await clickButton(app, 'Import 1 checkpoint');
        await until('the import', async () =>
          (await callEngine(engine(), 'checkpoints.list', {})).some((checkpoint) => checkpoint.folder === folder),
        );
        await clickButton(app, 'Show');
        await until('its page', () =>
          app.inPage(`document.querySelector('main').innerText.includes('Qwen2') ||
          document.querySelector('main').innerText.includes('Llama')`),
        );
      };
      await importOffered(join(models.folder, 'tiny-llama'));
      const second = copyOfFixture('tiny-qwen2', models.folder);
      const handedOver = spawnElectron({ ...launchOptions(), paths: [second] });
      expect(await handedOver.ended).toBe(0);
      await importOffered(second);
    });

    test('the menus are there, and lead to pages', async () => {
      const labels = await app.inMain<string[]>(
        `require('electron').Menu.getApplicationMenu().items.map((item) => item.label.replace('&', ''))`,
      );
      expect(labels).toEqual(['File', 'Edit', 'View', 'Help']);
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('page-/jobs').click()`);
      await until('the jobs page', () => app.inPage(`location.pathname === '/jobs'`));
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('theme-dark').click()`);
      await until('the dark theme', () =>
        app.inPage(`document.documentElement.dataset.theme === 'dark'
        && matchMedia('(prefers-color-scheme: dark)').matches`),
      );
      await sleepMs(300); // The window draws it.
      await picture('jobs-dark');
      // And the other way: what is chosen in the page is the window's and the menu's.
      await app.inPage(`(() => {
        const select = document.querySelector('footer select');
        select.value = 'light';
        select.dispatchEvent(new Event('change'));
      })()`);
      await until('the light theme', () =>
        app.inMain(`require('electron').nativeTheme.themeSource === 'light'
          && require('electron').Menu.getApplicationMenu().getMenuItemById('theme-light').checked`),
      );
    });

    test('what was opened last is numbered in the menu, under its name', async () => {
      const labels = () =>
        app.inMain<string[]>(
          `require('electron').Menu.getApplicationMenu().getMenuItemById('recents').submenu.items.map(({ label }) => label)`,
        );
      await until('the recent items', async () => (await labels()).join() === '&1 tiny-qwen2,&2 tiny-llama');
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('recent-2').click()`);
      await until('the second one', () => app.inPage(`document.querySelector('main h1').innerText === 'tiny-llama'`));
    });

    test('settings and an exported study given to a second start are recognised', async () => {
      const settings = join(models.folder, 'short.yaml');
      writeFileSync(settings, 'name: Short one\nseeds: [3]\nsft: { learningRate: 1.0e-4 }\n');
      const exported = join(repositoryFolder, 'resources', 'sample-study');
      const handedOver = spawnElectron({ ...launchOptions(), paths: [settings, exported] });
      expect(await handedOver.ended).toBe(0);
      await until('the offer', () =>
        app.inPage(`(() => {
          const text = document.querySelector('[role=dialog]')?.innerText ?? '';
          return text.includes('"Short one"') && text.includes('Exported study');
        })()`),
      );
      await picture('open-files');
      await clickButton(app, 'New study');
      await until('the form', () =>
        app.inPage(`location.pathname === '/studies/new'
          && [...document.querySelectorAll('main input')].some(({ value }) => value === 'Short one')`),
      );
    });

    test('no page violates the content security policy', async () => {
      await app.page.Page.addScriptToEvaluateOnNewDocument({
        source: `window.violations = []; document.addEventListener('securitypolicyviolation', (event) =>
          window.violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));`,
      });
      for (const path of ['/studies', '/studies/new', '/jobs', '/checkpoints', '/spectrum', '/figures']) {
        await app.inPage(`(location.assign('${path}'), true)`);
        await until(path, () =>
          app.inPage(`location.pathname === '${path}' && document.querySelector('main h1') !== null`),
        );
        expect(await app.inPage('window.violations'), path).toEqual([]);
      }
      await app.inPage(`document.querySelector('nav a[href="/"]').click()`);
      await until('Home', () => app.inPage(`document.querySelector('#door-run') !== null`));
      expect(await app.inPage('window.violations'), 'Home').toEqual([]);
    });

    test.skipIf(!existsSync(sampleStudy))('the sample study draws, and the window is not blank', async () => {
      const study = await callEngine(engine(), 'studies.openSample', {});
      await app.inPage(`(location.assign('/studies/${study.id}'), true)`);
      await settled();
      // Figures draw when they come into view.
      const undrawn = () =>
        app.inPage<string[]>(`(() => {
          const left = [...document.querySelectorAll('main section.figure')].filter(
            (figure) => figure.querySelectorAll('[role=img] svg path').length < 5
              && figure.querySelector('h3').innerText !== '${onRequest}');
          if (left.length > 0) left[0].scrollIntoView();
          return left.map((figure) => figure.querySelector('h3').innerText);
        })()`);
      await until('every figure', async () => {
        const left = await undrawn();
        if (left.length > 0) throw new Error(`not drawn: ${left.join(', ')}`);
        const shown = await app.inPage<number>(`document.querySelectorAll('main section.figure').length`);
        if (shown < 6) throw new Error(`${shown} figures at ${await app.inPage<string>('location.href')}`);
        return true;
      });
      await app.inPage(`document.querySelector('main section.figure').scrollIntoView()`);
      await sleepMs(300); // The window draws it.
      await picture('study');
      const colours = await app.inMain<number>(`require('electron').BrowserWindow.getAllWindows()[0].webContents
        .capturePage().then((image) => {
          const pixels = image.toBitmap();
          const seen = new Set();
          for (let offset = 0; offset < pixels.length; offset += 4) seen.add(pixels.readUInt32LE(offset));
          return seen.size;
        })`);
      expect(colours).toBeGreaterThan(50);
      expect(await app.inPage('window.violations')).toEqual([]);
    });

    test.skipIf(!existsSync(sampleStudy))('figures are exported: one to a file, all into a new folder', async () => {
      const study = await callEngine(engine(), 'studies.openSample', {});
      const saved = join(models.folder, 'accuracy.pdf');
      await app.inMain(`Object.assign(require('electron').dialog, {
        showOpenDialog: async () => ({ canceled: false, filePaths: [${JSON.stringify(models.folder)}] }),
        showSaveDialog: async () => ({ canceled: false, filePath: ${JSON.stringify(saved)} }),
      }); true`);
      await app.inPage(`(location.assign('/figures?study=${study.id}'), true)`);
      await until('the gallery', () => app.inPage(`document.querySelectorAll('li.item').length >= 16`));
      await clickButton(app, 'Export');
      await clickButton(app, 'PDF');
      await until('the file', () => existsSync(saved));
      expect(readFileSync(saved).subarray(0, 5).toString('latin1')).toBe('%PDF-');
      await picture('figures');
      await clickButton(app, 'Export all…');
      await until('the dialog', () =>
        app.inPage(`(() => {
          const button = [...document.querySelectorAll('[role=dialog] button')].find(
            (candidate) => candidate.textContent.trim() === 'Export');
          button?.click();
          return button !== undefined;
        })()`),
      );
      const folder = join(models.folder, 'sample-study-figures');
      await until('the folder', () => existsSync(folder), 60_000);
      const files = readdirSync(folder);
      expect(files.length).toBeGreaterThanOrEqual(5 * 16 + 1);
      expect(files).toEqual(expect.arrayContaining(['manifest.json', 'endpoints.svg', 'loss.csv', 'rl-starts.png']));
      // As wide as one column at 300 dpi.
      expect(readFileSync(join(folder, 'rl-starts.png')).readUInt32BE(16)).toBe(990);
      await expect(app.inPage(`window.rotascope.saveFolder('../up', [])`)).rejects.toThrow();
      await expect(
        app.inPage(`window.rotascope.saveFolder('here', [{ name: '../up.svg', bytes: new Uint8Array(1) }])`),
      ).rejects.toThrow();
      expect(await app.inPage('window.violations')).toEqual([]);
    });

    test.skipIf(!existsSync(sampleStudy))(
      'a figure is copied as an image: the clipboard of the system has it',
      async () => {
        const study = await callEngine(engine(), 'studies.openSample', {});
        await app.inMain(`require('electron').clipboard.clear()`);
        await app.inPage(`(location.assign('/figures?study=${study.id}'), true)`);
        await until('the gallery', () => app.inPage(`document.querySelectorAll('li.item').length >= 16`));
        await clickButton(app, 'Export');
        // Only a page that has the focus, and only within a click, writes to the clipboard.
        await app.inMain(`require('electron').BrowserWindow.getAllWindows()[0].focus()`);
        const { x, y } = await until('the place of the button', () =>
          app.inPage<{ x: number; y: number } | undefined>(`(() => {
          const button = [...document.querySelectorAll('button')].find(
            (candidate) => candidate.textContent.trim() === 'Copy image');
          const box = button?.getBoundingClientRect();
          return box && { x: box.x + box.width / 2, y: box.y + box.height / 2 };
        })()`),
        );
        for (const type of ['mousePressed', 'mouseReleased'] as const)
          await app.page.Input.dispatchMouseEvent({ type, x, y, button: 'left', clickCount: 1 });
        const copied = await until('the image', async () => {
          const size = await app.inMain<{ width: number; height: number }>(
            `require('electron').clipboard.readImage().getSize()`,
          );
          return size.width > 0 ? size : undefined;
        });
        // One column at 300 dpi.
        expect(copied.width).toBe(990);
        expect(copied.height).toBeGreaterThan(300);
        const colours = await app.inMain<number>(`(() => {
        const pixels = require('electron').clipboard.readImage().toBitmap();
        const seen = new Set();
        for (let offset = 0; offset < pixels.length; offset += 4) seen.add(pixels.readUInt32LE(offset));
        return seen.size;
      })()`);
        expect(colours).toBeGreaterThan(20);
        expect(await app.inPage('window.violations')).toEqual([]);
      },
    );

    test('a killed engine is back once, at the same address, with a notice', async () => {
      const before = engine();
      const pid = await until('the engine', enginePid);
      process.kill(pid, 'SIGKILL');
      await until('another engine', () => {
        const now = enginePid();
        return now !== undefined && now !== pid;
      });
      const after = await until('the engine to answer', async () => {
        await callEngine(engine(), 'app.state', {});
        return engine();
      });
      expect([after.port, after.token]).toEqual([before.port, before.token]);
      await until('the notice', () => app.inPage(`/restarted/i.test(document.body.innerText)`));
      await picture('restarted');
    });

    test('a second death is a page of its own: reason, diagnostics, restart', async () => {
      const pid = await until('the engine', enginePid);
      process.kill(pid, 'SIGKILL');
      const heading = () => app.inPage<string>(`document.querySelector('h1').innerText`);
      await until('the crash page', async () => (await heading()) === 'The engine ended by SIGKILL.');
      expect(await app.inPage('[location.protocol, typeof require]')).toEqual(['data:', 'undefined']);
      await picture('crash');
      const press = (label: string) =>
        app.inPage(`[...document.querySelectorAll('a')].find((link) => link.innerText === '${label}').click()`);
      await press('Copy diagnostics');
      await until('the answer', () =>
        app.inPage(`document.querySelector('[role=status]').innerText === 'The diagnostics are on the clipboard.'`),
      );
      expect(await app.inMain(`require('electron').clipboard.readText()`)).toMatch(
        /^Rotascope .*\n[^]*The engine ended by SIGKILL\.[^]*Last lines of the engine:/,
      );
      await press('Restart');
      await until('the engine to answer', () => callEngine(engine(), 'app.state', {}));
      await until('its page', async () => (await app.inPage('location.origin')) === engine().origin);
      await settled();
    });

    test('a page that dies comes back; one that dies again at once says so and is restarted when asked', async () => {
      const kill = async (): Promise<void> => {
        const pid = await app.inMain<number>(
          `require('electron').BrowserWindow.getAllWindows()[0].webContents.getOSProcessId()`,
        );
        process.kill(pid, 'SIGKILL');
        await sleepMs(1500); // Until another process has taken its place.
        await app.reattach();
      };
      const isOnPage = async () => (await app.inPage('location.origin')) === engine().origin;
      await kill();
      await until('the page to come back', isOnPage);
      await settled();
      await kill();
      await until('the crash page', () =>
        app.inPage(`/^The page ended twice within a minute/.test(document.querySelector('h1').innerText)`),
      );
      await app.inPage(`document.querySelector('a.primary').click()`);
      await until('the page', isOnPage);
      await settled();
    });

    test('work shows in the taskbar, keeps the system awake, and its end is told when it was long', async () => {
      await app.inMain(`globalThis.progress = []; globalThis.told = []; globalThis.blockers = [];
        const electron = require('electron');
        const window = electron.BrowserWindow.getAllWindows()[0];
        const setProgressBar = window.setProgressBar.bind(window);
        window.setProgressBar = (share) => { globalThis.progress.push(share); setProgressBar(share); };
        window.isFocused = () => false;
        const start = electron.powerSaveBlocker.start;
        electron.powerSaveBlocker.start = (type) => {
          const id = start.call(electron.powerSaveBlocker, type);
          globalThis.blockers.push(id);
          return id;
        };
        electron.Notification.isSupported = () => true;
        electron.Notification.prototype.show = function () { globalThis.told.push(this.title + ': ' + this.body); };
        true`);
      await callEngine(engine(), 'app.selfTest', {});
      const blocking = () =>
        app.inMain<boolean>(`globalThis.blockers.length === 1
          && require('electron').powerSaveBlocker.isStarted(globalThis.blockers[0])`);
      await until('a bar in the taskbar', () => app.inMain('globalThis.progress.some((share) => share >= 0)'));
      expect(await blocking()).toBe(true);
      // A minute passes for the shell, so that the job was a long one.
      await app.inMain(`globalThis.now = Date.now; Date.now = () => globalThis.now() + 60_000; true`);
      await until('the notification', () => app.inMain('globalThis.told.length > 0'), 60_000);
      await app.inMain(`Date.now = globalThis.now; true`);
      expect(await app.inMain<string[]>('globalThis.told')).toEqual([
        expect.stringMatching(/^(.+): \1 (has finished|failed)/),
      ]);
      await until('the bar to go', () => app.inMain('globalThis.progress[globalThis.progress.length - 1] === -1'));
      expect(await blocking()).toBe(false);
    });

    test('quitting while a job runs asks; staying goes on', async () => {
      await answerQuestions(2);
      const study = await callEngine(engine(), 'studies.create', { settings: settingsOfLongStudy, new: true });
      await callEngine(engine(), 'studies.start', { id: study.id });
      await until('a running job', async () =>
        (await callEngine(engine(), 'jobs.list', {})).some((job) => job.state === 'running'),
      );
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('quit').click()`);
      const asked = await until('the question', async () => (await questions())[0]);
      expect(asked.message).toMatch(/^A job is running: /);
      expect(asked.buttons).toEqual(['Quit and resume later', 'Cancel the job and quit', 'Stay']);
      expect(asked.detail).toContain('resumed');
      expect(await app.inMain(`require('electron').BrowserWindow.getAllWindows()[0].isVisible()`)).toBe(true);
    });

    test('quitting ends everything, and the job can be resumed at the next start', async () => {
      await answerQuestions(0);
      await app.inMain(
        `require('electron').BrowserWindow.getAllWindows()[0].setBounds({ x: 40, y: 60, width: 900, height: 700 })`,
      );
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('zoomIn').click()`);
      expect(app.processes().some(({ command }) => command.includes('worker'))).toBe(true);
      // Closing the window is quitting.
      await app.inMain(`(require('electron').BrowserWindow.getAllWindows()[0].close(), true)`);
      await app.detach();
      expect(await app.ended).toBe(0);
      await until('every process to end', () => app.processes().length === 0, 10_000);
      app = await launchElectron(launchOptions());
      await settled();
      const jobs = await callEngine(engine(), 'jobs.list', {});
      expect(jobs.filter((job) => job.state === 'interrupted').length).toBeGreaterThan(0);
      const window = `require('electron').BrowserWindow.getAllWindows()[0]`;
      expect(await app.inMain(`${window}.getBounds()`)).toMatchObject({ width: 900, height: 700 });
      await until('the zoom', async () => (await app.inMain(`${window}.webContents.getZoomLevel()`)) === 0.5);
    });

    test('quitting can cancel what runs: nothing is left to resume', async () => {
      await answerQuestions(1);
      const [study] = (await callEngine(engine(), 'studies.list', {})).filter(({ state }) => state === 'interrupted');
      await callEngine(engine(), 'studies.resume', { id: study!.id });
      await until('a running job', async () =>
        (await callEngine(engine(), 'jobs.list', {})).some((job) => job.state === 'running'),
      );
      await app.inMain(`(require('electron').BrowserWindow.getAllWindows()[0].close(), true)`);
      await app.detach();
      expect(await app.ended).toBe(0);
      app = await launchElectron(launchOptions());
      await settled();
      expect((await callEngine(engine(), 'studies.get', { id: study!.id })).state).toBe('cancelled');
    });

    test('a terminated shell leaves no process behind', async () => {
      process.kill(app.pid, 'SIGKILL');
      await app.ended;
      await until('every process to end', () => app.processes().length === 0, 15_000);
    });
  });
}
