/**
 * The desktop shell, composed: one instance, the engine in plain Node, one window on the engine's page, native menus
 * and dialogs. What the window shows comes from the engine alone.
 */
import { app, clipboard, dialog, Menu, nativeTheme, shell } from 'electron';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { appId } from './appId.ts';
import { Attention } from './attention.ts';
import type { CrashAction, CrashReport } from './crashPage.ts';
import { diagnosticsOf } from './diagnostics.ts';
import { answerPage, openFilesDialog, openFolderDialog } from './dialogs.ts';
import { engineCommand } from './engineCommand.ts';
import { EngineProcess } from './engineProcess.ts';
import { installation } from './installation.ts';
import { emptyContent, menuTemplate } from './menu.ts';
import { dataFolderOption, pathsToOpen } from './paths.ts';
import { quitting } from './quitting.ts';
import { ShellWindow } from './shellWindow.ts';
import { checkForUpdates } from './updates.ts';
import { lockSingleInstance, onSecondInstance } from './versions.ts';
import { openOutside } from './window.ts';

app.name = 'Rotascope';
if (process.platform === 'win32') app.setAppUserModelId(appId); // Else its notifications are not shown.
const dataFolder = dataFolderOption(process.argv, process.cwd()) ?? process.env['ROTASCOPE_DATA'];
// The lock of the single instance lies in this folder: one shell per data folder.
if (dataFolder) app.setPath('userData', join(resolve(dataFolder), 'shell'));

const readPaths = (args: readonly string[], folder: string): string[] =>
  pathsToOpen(args.slice(1), folder, [app.getAppPath(), ...(dataFolder ? [resolve(dataFolder)] : [])]);
/** Given on the command line, or (macOS) by the system before the window is there. */
const firstPaths = readPaths(process.argv, process.cwd());

if (lockSingleInstance(firstPaths)) run();
else app.exit(0);

function run(): void {
  const { engineFolder, rendererFolder, preload, verify } = installation(app.getAppPath(), app.isPackaged);
  const icon = join(engineFolder, 'resources', 'icons', '256x256.png');
  mkdirSync(app.getPath('userData'), { recursive: true });
  let content = emptyContent;

  const resumable = 'Jobs that ran can be resumed from their last checkpoints after a restart.';
  const engine = new EngineProcess(engineCommand(engineFolder, dataFolder, rendererFolder, process.env), {
    onReady: (listening) => {
      shellWindow.show(listening);
      attention.follow(listening).catch((error: unknown) => console.error(String(error)));
    },
    onLost: (reason) => console.error(`${reason} It is being started again.`),
    onFailed: ({ reason, lastLines }) => {
      shellWindow.showCrash({ fact: reason, nextStep: resumable, lines: lastLines });
    },
  });
  const onCrashAction = async (action: CrashAction, report: CrashReport): Promise<string> => {
    switch (action) {
      case 'restart':
        await startEngine(true);
        return 'The engine is starting.';
      case 'copy':
        await clipboard.writeText(await diagnosticsOf(engine, [report.fact, ...report.lines].join('\n')));
        return 'The diagnostics are on the clipboard.';
      case 'quit':
        await quit.now();
        return '';
    }
  };
  const shellWindow = new ShellWindow({
    preload,
    icon: existsSync(icon) ? icon : undefined,
    statePath: join(app.getPath('userData'), 'window.json'),
    engine: () => engine.engine,
    onCrashAction,
    /** @returns whether the window may close now */
    onClose: () => {
      if (quit.decided() || process.platform === 'darwin') return true;
      quit.request();
      return false;
    },
  });
  const attention = new Attention({
    window: () => shellWindow.window,
    wantsNotifications: () => shellWindow.choices.notifications,
    onClick: (path) => {
      shellWindow.toFront();
      shellWindow.send({ type: 'go', path });
    },
  });
  const quit = quitting(
    engine,
    () => shellWindow.window,
    () => shellWindow.remember(),
  );
  /** The engine runs only on the files that were shipped. */
  const startEngine = async (again: boolean): Promise<void> => {
    if (engine.engine) return shellWindow.show(engine.engine); // Only the page had gone.
    const fault = await verify();
    if (fault) shellWindow.showCrash(fault);
    else if (again) engine.restart();
    else engine.start();
  };

  const setMenu = (): void => {
    const template = menuTemplate(process.platform, app.name, shellWindow.choices, content, {
      send: (command) => shellWindow.send(command),
      openFolder: () => void shellWindow.chooseAndOpen(openFolderDialog),
      openFiles: () => void shellWindow.chooseAndOpen(openFilesDialog),
      setTheme: (theme) => choose({ theme }),
      setNotifications: (notifications) => choose({ notifications }),
      zoom: (to) => shellWindow.zoom(to),
      checkForUpdates: () => void showUpdates(),
      copyDiagnostics: () => void diagnosticsOf(engine).then((text) => clipboard.writeText(text)),
      showDataFolder: () => engine.engine && shell.showItemInFolder(join(engine.engine.dataFolder, 'engine.json')),
      openDocumentation: () => void shell.openPath(join(engineFolder, 'README.md')),
      quit: () => quit.request(),
    });
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
  };
  const choose = (choices: Parameters<ShellWindow['choose']>[0]): void => {
    shellWindow.choose(choices);
    setMenu();
  };
  const showUpdates = async (): Promise<void> => {
    const { message, detail, page } = await checkForUpdates(app.getVersion(), process.env['ROTASCOPE_UPDATE_URL']);
    const buttons = page ? ['Open its page', 'Close'] : ['Close'];
    const box = { type: 'info' as const, title: 'Updates', message, detail, buttons, cancelId: buttons.length - 1 };
    const over = shellWindow.window;
    const { response } = await (over ? dialog.showMessageBox(over, box) : dialog.showMessageBox(box));
    if (page && response === 0) openOutside(page);
  };

  onSecondInstance((paths) => {
    shellWindow.toFront();
    shellWindow.openPaths(paths);
  }, readPaths);
  app.on('open-file', (event, path) => {
    event.preventDefault();
    if (shellWindow.window) shellWindow.openPaths([path]);
    else firstPaths.push(path);
  });
  app.on('activate', () => {
    if (app.isReady()) shellWindow.toFront();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') quit.request();
  });
  app.on('before-quit', (event) => {
    if (quit.decided()) return;
    event.preventDefault();
    quit.request();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void quit.now());

  answerPage(
    () => shellWindow.window,
    () => engine.engine?.origin ?? '',
    ({ theme, ...next }) => {
      content = next;
      if (theme !== shellWindow.choices.theme) choose({ theme });
      else setMenu();
    },
  );
  void startEngine(false);
  void app.whenReady().then(() => {
    nativeTheme.themeSource = shellWindow.choices.theme;
    setMenu();
    shellWindow.open();
    shellWindow.openPaths(firstPaths.splice(0));
  });
}
