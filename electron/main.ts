/**
 * The desktop shell, composed: one instance, the engine in plain Node, one window on the engine's page (this machine's, or
 * another one's), native menus and dialogs. What the window shows comes from the engine alone.
 */
import { app, clipboard, dialog, Menu, nativeTheme, shell } from 'electron';
import { existsSync, mkdirSync } from 'node:fs';
import type { OpenDialogOptions } from 'electron';
import { basename, join, resolve } from 'node:path';
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
import { RemoteSession } from './remoteSession.ts';
import { ShellWindow } from './shellWindow.ts';
import { checkForUpdates } from './updates.ts';
import { lockSingleInstance, onSecondInstance } from './versions.ts';
import { openOutside } from './window.ts';
import { withoutRemote, withRemote } from './windowState.ts';

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
      crash = null;
      if (!remote.current) shellWindow.show(listening);
      attention.follow(listening).catch((error: unknown) => console.error(String(error)));
    },
    onLost: (reason) => console.error(`${reason} It is being started again.`),
    onFailed: ({ reason, lastLines }) => {
      crash = { fact: reason, nextStep: resumable, lines: lastLines };
      if (!remote.current) shellWindow.showCrash(crash);
    },
  });
  /** Of this machine's engine, kept while another one's is shown. */
  let crash: CrashReport | null = null;
  const remote = new RemoteSession({
    ownOrigin: () => engine.engine?.origin ?? '',
    onConnected: (target) => shellWindow.choose({ remotes: withRemote(shellWindow.choices.remotes, target) }),
    onSwitch: () => {
      shellWindow.replace();
      setMenu();
      followRemote();
      if (crash && !remote.current) shellWindow.showCrash(crash);
    },
    onTunnel: (fault) => {
      shellWindow.sendTunnel(fault);
      if (fault || !remote.current) return;
      shellWindow.show(remote.current.engine);
      followRemote();
    },
  });
  const followRemote = (): void => {
    if (!remote.current) return remoteAttention.leave();
    remoteAttention.follow(remote.current.engine).catch((error: unknown) => console.error(String(error)));
  };
  const onCrashAction = async (action: CrashAction, report: CrashReport): Promise<string> => {
    switch (action) {
      case 'restart':
        if (remote.current) return tryRemoteAgain();
        await startEngine(true);
        return 'The engine is starting.';
      case 'copy':
        await clipboard.writeText(await diagnosticsOf(engine, remote, [report.fact, ...report.lines].join('\n')));
        return 'The diagnostics are on the clipboard.';
      case 'leave':
        remote.leave();
        return '';
      case 'quit':
        await quit.now();
        return '';
    }
  };
  const tryRemoteAgain = (): string => {
    remote.retry();
    // The page is loaded when the tunnel is back; where it is the user's own, it may be back by now.
    if (remote.current && !remote.current.fault) shellWindow.show(remote.current.engine);
    return 'It is being tried.';
  };
  const shellWindow = new ShellWindow({
    preload,
    icon: existsSync(icon) ? icon : undefined,
    statePath: join(app.getPath('userData'), 'window.json'),
    engine: () => (remote.current ? remote.current.engine : engine.engine),
    remote: () => remote.current?.name ?? null,
    onCrashAction,
    /** @returns whether the window may close now */
    onClose: () => {
      if (quit.decided() || process.platform === 'darwin') return true;
      quit.request();
      return false;
    },
  });
  const wantsNotifications = (): boolean => shellWindow.choices.notifications;
  const go = (path: string): void => {
    shellWindow.toFront();
    shellWindow.send({ type: 'go', path });
  };
  const attention = new Attention({
    window: () => (remote.current ? null : shellWindow.window),
    wantsNotifications,
    keepsAwake: true,
    onClick: (path) => {
      remote.leave();
      go(path);
    },
  });
  const remoteAttention = new Attention({
    window: () => (remote.current ? shellWindow.window : null),
    wantsNotifications,
    keepsAwake: false,
    onClick: go,
  });
  const quit = quitting(
    engine,
    () => shellWindow.window,
    () => {
      shellWindow.remember();
      remote.close();
    },
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
    const name = remote.current?.name ?? null;
    const template = menuTemplate(process.platform, app.name, shellWindow.choices, content, name, {
      send: (command) => shellWindow.send(command),
      openFolder: () => choosePaths(openFolderDialog),
      openFiles: () => choosePaths(openFilesDialog),
      setTheme: (theme) => choose({ theme }),
      setNotifications: (notifications) => choose({ notifications }),
      zoom: (to) => shellWindow.zoom(to),
      checkForUpdates: () => void showUpdates(),
      copyDiagnostics: () => void diagnosticsOf(engine, remote).then((text) => clipboard.writeText(text)),
      showDataFolder: () => engine.engine && shell.showItemInFolder(join(engine.engine.dataFolder, 'engine.json')),
      openDocumentation: () => void shell.openPath(join(engineFolder, 'README.md')),
      leaveRemote: () => remote.leave(),
      quit: () => quit.request(),
    });
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
  };
  /** Of another machine's files the page asks for the path. */
  const choosePaths = (options: OpenDialogOptions): void => {
    if (remote.current) shellWindow.send({ type: 'open', paths: [] });
    else void shellWindow.chooseAndOpen(options);
  };
  /** Files of this machine are for its own engine; their paths are not told to another one's page. */
  const openPaths = async (paths: string[]): Promise<void> => {
    if (remote.current && paths.length > 0) {
      const response = await ask({
        title: 'Open',
        message: `The window shows the engine on ${remote.current.name}.`,
        detail: `What was opened lies on this machine: ${paths.map((path) => basename(path)).join(', ')}`,
        buttons: ['Back to this machine and open', 'Stay'],
      });
      if (response !== 0) return;
      remote.leave();
    }
    shellWindow.openPaths(paths);
  };
  /** @returns the position of the button; the last one also stands for closing the question */
  const ask = async (question: {
    title: string;
    message: string;
    detail: string;
    buttons: string[];
  }): Promise<number> => {
    const box = { type: 'info' as const, ...question, cancelId: question.buttons.length - 1 };
    const over = shellWindow.window;
    return (await (over ? dialog.showMessageBox(over, box) : dialog.showMessageBox(box))).response;
  };
  const choose = (choices: Parameters<ShellWindow['choose']>[0]): void => {
    shellWindow.choose(choices);
    setMenu();
  };
  const showUpdates = async (): Promise<void> => {
    const { message, detail, page } = await checkForUpdates(app.getVersion(), process.env['ROTASCOPE_UPDATE_URL']);
    const buttons = page ? ['Open its page', 'Close'] : ['Close'];
    const response = await ask({ title: 'Updates', message, detail, buttons });
    if (page && response === 0) openOutside(page);
  };

  onSecondInstance((paths) => {
    shellWindow.toFront();
    void openPaths(paths);
  }, readPaths);
  app.on('open-file', (event, path) => {
    event.preventDefault();
    if (shellWindow.window) void openPaths([path]);
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

  answerPage({
    window: () => shellWindow.window,
    allowedOrigin: () => (remote.current ? remote.current.engine : engine.engine)?.origin ?? '',
    isRemote: () => remote.current !== null,
    onMenuContent: ({ theme, ...next }) => {
      content = next;
      if (theme !== shellWindow.choices.theme) choose({ theme });
      else setMenu();
    },
    remote: {
      connect: (target) => remote.connect(target),
      leave: () => remote.leave(),
      retry: () => remote.retry(),
      recents: () => shellWindow.choices.remotes,
      forget: (host) => {
        shellWindow.choose({ remotes: withoutRemote(shellWindow.choices.remotes, host) });
        return shellWindow.choices.remotes;
      },
    },
  });
  void startEngine(false);
  void app.whenReady().then(() => {
    nativeTheme.themeSource = shellWindow.choices.theme;
    setMenu();
    shellWindow.open();
    shellWindow.openPaths(firstPaths.splice(0));
  });
}
