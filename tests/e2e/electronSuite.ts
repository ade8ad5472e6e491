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
import { built } from './builds.ts';
import type { BuildMode } from './builds.ts';
import { startDisplay } from './display.ts';
import type { Display } from './display.ts';
import { launchElectron, spawnElectron } from './electronApp.ts';
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
    const clickButton = (label: string) =>
      until(`the button ${label}`, () =>
        app.inPage(`(() => {
          const button = [...document.querySelectorAll('button')].find(
            (candidate) => candidate.textContent.trim() === ${JSON.stringify(label)} && !candidate.disabled);
          button?.click();
          return button !== undefined;
        })()`),
      );
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
      expect(await app.inPage('Object.keys(window.rotascope).sort()')).toEqual(
        ['onMenu', 'openFiles', 'openFolder', 'pathsForFiles', 'platform', 'saveFile', 'saveFolder', 'version'].sort(),
      );
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
    });

    test('a path on the command line, and one of a second start, are offered and imported', async () => {
      const importOffered = async (folder: string): Promise<void> => {
        const name = basename(folder);
        await until(`the offer of ${name}`, () =>
          app.inPage(`document.querySelector('[role=dialog]')?.innerText.includes(${JSON.stringify(folder)})`),
        );
        await picture('import');
        await clickButton('Import 1 checkpoint');
        await until('the import', async () =>
          (await callEngine(engine(), 'checkpoints.list', {})).some((checkpoint) => checkpoint.folder === folder),
        );
        await clickButton('Show');
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
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('jobs').click()`);
      await until('the jobs page', () => app.inPage(`location.pathname === '/jobs'`));
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('theme-dark').click()`);
      await until('the dark theme', () =>
        app.inPage(`document.documentElement.dataset.theme === 'dark'
        && matchMedia('(prefers-color-scheme: dark)').matches`),
      );
      await sleepMs(300); // The window draws it.
      await picture('jobs-dark');
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('theme-light').click()`);
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
            (figure) => figure.querySelectorAll('[role=img] svg path').length < 5);
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
      await clickButton('Export');
      await clickButton('PDF');
      await until('the file', () => existsSync(saved));
      expect(readFileSync(saved).subarray(0, 5).toString('latin1')).toBe('%PDF-');
      await picture('figures');
      await clickButton('Export all…');
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

    test('a second death shows the reason and starts again when asked', async () => {
      await answerQuestions(0);
      const pid = await until('the engine', enginePid);
      process.kill(pid, 'SIGKILL');
      const [question] = await until('the question', async () => {
        const asked = await questions();
        return asked.length > 0 && asked;
      });
      expect(question?.message).toBe('The engine ended by SIGKILL.');
      expect(question?.buttons).toEqual(['Restart', 'Copy diagnostics', 'Quit']);
      await until('the engine to answer', () => callEngine(engine(), 'app.state', {}));
    });

    test('quitting while a job runs asks; cancel goes on', async () => {
      await answerQuestions(1);
      const study = await callEngine(engine(), 'studies.create', { settings: settingsOfLongStudy, new: true });
      await callEngine(engine(), 'studies.start', { id: study.id });
      await until('a running job', async () =>
        (await callEngine(engine(), 'jobs.list', {})).some((job) => job.state === 'running'),
      );
      await app.inMain(`require('electron').Menu.getApplicationMenu().getMenuItemById('quit').click()`);
      const asked = await until('the question', async () => (await questions())[0]);
      expect(asked).toMatchObject({ message: 'A job is running.', buttons: ['Quit', 'Cancel'] });
      expect(asked.detail).toContain('resumed');
      expect(await app.inMain(`require('electron').BrowserWindow.getAllWindows()[0].isVisible()`)).toBe(true);
    });

    test('quitting ends everything, and the job can be resumed at the next start', async () => {
      await answerQuestions(0);
      await app.inMain(
        `require('electron').BrowserWindow.getAllWindows()[0].setBounds({ x: 40, y: 60, width: 900, height: 700 })`,
      );
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
      expect(await app.inMain(`require('electron').BrowserWindow.getAllWindows()[0].getBounds()`)).toMatchObject({
        width: 900,
        height: 700,
      });
    });

    test('a terminated shell leaves no process behind', async () => {
      process.kill(app.pid, 'SIGKILL');
      await app.ended;
      await until('every process to end', () => app.processes().length === 0, 15_000);
    });
  });
}
