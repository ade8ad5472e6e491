/**
 * Everything that differs between versions of Electron, in one place. What ships is the current one; the real-window
 * test also runs the same sources in Electron 9.4.1 (Node 12, Chromium 83), which lacks what is asked for here.
 * Used by the main process and by the sandboxed preload script: touch only what the calling process has.
 */
import * as electron from 'electron';
import type { BrowserWindow, IpcMainInvokeEvent, WebContents, WebPreferences } from 'electron';

/** Node 12 (Electron 9) lacks it; the calls to the engine use it. */
Object.hasOwn ??= (object, key): boolean => Object.prototype.hasOwnProperty.call(object, key);

/** Electron < 20 needs the sandbox, Electron < 12 the isolation and Electron < 10 the absent remote module asked for. */
export const isolatedPreferences: WebPreferences & { enableRemoteModule: boolean } = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  webviewTag: false,
  enableRemoteModule: false,
};

/** Every window that a page asks for is refused; `onRefused` gets its address. Electron < 12 has only an event. */
export function refuseNewWindows(contents: WebContents, onRefused: (address: string) => void): void {
  if (typeof contents.setWindowOpenHandler === 'function') {
    contents.setWindowOpenHandler(({ url }) => {
      onRefused(url);
      return { action: 'deny' };
    });
    return;
  }
  const older = contents as unknown as {
    on(name: 'new-window', listener: (event: { preventDefault(): void }, address: string) => void): void;
  };
  older.on('new-window', (event, address) => {
    event.preventDefault();
    onRefused(address);
  });
}

/**
 * Takes the lock of the single instance, or hands `paths` to the instance that has it.
 * @returns whether this is the first instance
 */
export function lockSingleInstance(paths: readonly string[]): boolean {
  return electron.app.requestSingleInstanceLock({ paths });
}

/** Paths that a second start handed over. Electron < 17 hands over its arguments only: `fallback` reads them. */
export function onSecondInstance(
  listener: (paths: string[]) => void,
  fallback: (args: readonly string[], folder: string) => string[],
): void {
  electron.app.on('second-instance', (_event, args, folder, additionalData?: unknown) => {
    const handed = (additionalData as { paths?: unknown } | null | undefined)?.paths;
    listener(Array.isArray(handed) ? handed.map(String) : fallback(args, folder));
  });
}

/** Address of the frame that called; Electron < 17 knows only its window's. */
export function addressOfSender(event: IpcMainInvokeEvent): string {
  const frame = (event as { senderFrame?: { url: string } | null }).senderFrame;
  return frame ? frame.url : event.sender.getURL();
}

/** `listener` when the page's process has died; Electron < 9 had another event. */
export function onPageGone(window: BrowserWindow, listener: (reason: string) => void): void {
  window.webContents.on('render-process-gone', (_event, details) => {
    listener((details as { reason?: string } | undefined)?.reason ?? 'unknown');
  });
}

/**
 * For the preload script: how paths of files are found. Electron >= 32 asks webUtils. Older ones put `path` on the
 * File, but Electron 9 strips it (and the File) on the way through the context bridge: there the paths are noted, in
 * the preload script's own world, when files are dropped or chosen, and handed out by the position in that list.
 */
export function openFilePaths(): (files: readonly File[]) => string[] {
  const webUtils = (electron as { webUtils?: typeof electron.webUtils }).webUtils;
  if (webUtils) return (files) => files.map((file) => webUtils.getPathForFile(file)).filter((path) => path !== '');
  let lastPaths: string[] = [];
  const note = (files: FileList | null | undefined): void => {
    if (files) lastPaths = Array.from(files, (file) => (file as File & { path?: string }).path ?? '');
  };
  window.addEventListener('drop', (event) => note(event.dataTransfer?.files), true);
  window.addEventListener('change', (event) => note((event.target as HTMLInputElement).files), true);
  return (files) => lastPaths.slice(0, files.length).filter((path) => path !== '');
}
