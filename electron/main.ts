/**
 * The desktop shell, composed: one instance, the engine in plain Node, one window on the engine's page, native menus
 * and dialogs. What the window shows comes from the engine alone.
 */
import { app, clipboard, Menu, nativeTheme, shell } from 'electron';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { answerPage, checkpointFilesDialog, checkpointFolderDialog } from './dialogs.ts';
import { engineCommand, projectFolderAround } from './engineCommand.ts';
import { diagnosticsOf, showFailure } from './engineFailure.ts';
import { EngineProcess } from './engineProcess.ts';
import { menuTemplate } from './menu.ts';
import { dataFolderOption, pathsToOpen } from './paths.ts';
import { quitting } from './quitting.ts';
import { ShellWindow } from './shellWindow.ts';
import { lockSingleInstance, onSecondInstance } from './versions.ts';

/** 'out', or 'out/old' in the build for the old Electron: set by electron.vite.config.ts. */
declare const __OUT_FOLDER__: string;

app.name = 'Rotascope';
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
  const projectFolder = projectFolderAround(app.getAppPath());
  const out = join(projectFolder, __OUT_FOLDER__);
  const icon = join(projectFolder, 'resources', 'icon.png');
  mkdirSync(app.getPath('userData'), { recursive: true });

  const engine = new EngineProcess(engineCommand(projectFolder, dataFolder, join(out, 'renderer'), process.env), {
    onReady: (listening) => shellWindow.show(listening),
    onLost: (reason) => console.error(`${reason} It is being started again.`),
    onFailed: (failure) => {
      const onChoice = { restart: () => engine.restart(), quit: () => void quit.now() };
      void showFailure(shellWindow.window, failure, onChoice);
    },
  });
  const shellWindow = new ShellWindow({
    preload: join(out, 'preload', 'preload.cjs'),
    icon: existsSync(icon) ? icon : undefined,
    statePath: join(app.getPath('userData'), 'window.json'),
    engine: () => engine.engine,
    /** @returns whether the window may close now */
    onClose: () => {
      if (quit.decided() || process.platform === 'darwin') return true;
      quit.request();
      return false;
    },
  });
  const quit = quitting(
    engine,
    () => shellWindow.window,
    () => shellWindow.remember(),
  );

  const setMenu = (): void => {
    const template = menuTemplate(process.platform, app.name, shellWindow.theme, {
      send: (command) => shellWindow.send(command),
      openFolder: () => void shellWindow.chooseAndOpen(checkpointFolderDialog),
      openFiles: () => void shellWindow.chooseAndOpen(checkpointFilesDialog),
      setTheme: (theme) => shellWindow.setTheme(theme),
      copyDiagnostics: () => void diagnosticsOf(engine).then((text) => clipboard.writeText(text)),
      showDataFolder: () => engine.engine && shell.showItemInFolder(join(engine.engine.dataFolder, 'engine.json')),
      openDocumentation: () => void shell.openPath(join(projectFolder, 'README.md')),
      quit: () => quit.request(),
    });
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
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
  );
  engine.start();
  void app.whenReady().then(() => {
    nativeTheme.themeSource = shellWindow.theme;
    setMenu();
    shellWindow.open();
    shellWindow.openPaths(firstPaths.splice(0));
  });
}
