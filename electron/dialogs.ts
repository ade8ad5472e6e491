/**
 * Native open and save dialogs for the page. Only the engine's own page in the main frame is answered.
 *
 * A page of another machine's engine may fill the menus (checked text) and save what it holds where the user says. What
 * tells of this machine's files, or has it connect elsewhere, is refused: that machine may not be trusted with this one.
 */
import { dialog, ipcMain } from 'electron';
import type { BrowserWindow, IpcMainInvokeEvent, OpenDialogOptions } from 'electron';
import { existsSync, promises as files } from 'node:fs';
import { basename, join } from 'node:path';
import { menuContentSchema } from '../main/contract/desktop.ts';
import type { MenuContent, SshTarget } from '../main/contract/desktop.ts';
import type { AppErrorShape } from '../main/contract/errors.ts';
import { channels } from './channels.ts';
import { addressOfSender } from './versions.ts';

export const openFolderDialog: OpenDialogOptions = {
  title: 'Choose a folder',
  properties: ['openDirectory', 'multiSelections', 'createDirectory'],
};
export const openFilesDialog: OpenDialogOptions = {
  title: 'Open files',
  properties: ['openFile', 'multiSelections'],
  filters: [
    { name: 'Checkpoints, studies and settings', extensions: ['safetensors', 'json', 'yaml', 'yml', 'rotascope'] },
    { name: 'Backups', extensions: ['zip'] },
    { name: 'All files', extensions: ['*'] },
  ],
};

export async function choosePaths(window: BrowserWindow, options: OpenDialogOptions): Promise<string[]> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, options);
  return canceled ? [] : filePaths;
}

/**
 * Asks where to save `name`; writes `bytes`, when given, beside the target and renames it into place.
 * @returns the path, or null when the user cancelled.
 */
export async function saveBytes(window: BrowserWindow, name: string, bytes?: Uint8Array): Promise<string | null> {
  const { canceled, filePath } = await dialog.showSaveDialog(window, { title: 'Save', defaultPath: name });
  if (canceled || !filePath) return null;
  if (bytes) {
    const partial = `${filePath}.partial`;
    await files.writeFile(partial, bytes);
    await files.rename(partial, filePath);
  }
  return filePath;
}

interface NamedBytes {
  name: string;
  bytes: Uint8Array;
}
/** Plain names only: nothing that a page says may lead out of the chosen folder. */
const isPlainName = (name: unknown): name is string =>
  typeof name === 'string' && name !== '' && name === basename(name) && !/[\\/]|^\.+$/.test(name);
const isNamedBytes = (file: unknown): file is NamedBytes =>
  typeof file === 'object' && file !== null && isPlainName((file as NamedBytes).name) && (file as NamedBytes).bytes instanceof Uint8Array; // prettier-ignore

/** Asks for a folder; writes a new folder `name` (or `name 2`, ...) into it, beside itself first, then renamed. */
async function saveFolder(window: BrowserWindow, name: string, contents: NamedBytes[]): Promise<string | null> {
  const title = 'Choose where to save the folder';
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title,
    properties: ['openDirectory', 'createDirectory'],
  });
  const parent = filePaths[0];
  if (canceled || parent === undefined) return null;
  let folder = join(parent, name);
  for (let count = 2; existsSync(folder); count += 1) folder = join(parent, `${name} ${count}`);
  const partial = `${folder}.partial`;
  await files.mkdir(partial, { recursive: true });
  for (const { name: file, bytes } of contents) await files.writeFile(join(partial, file), bytes);
  await files.rename(partial, folder);
  return folder;
}

export interface PageOptions {
  window(): BrowserWindow | null;
  /** Origin of the engine's pages, empty before there is one. */
  allowedOrigin(): string;
  isRemote(): boolean;
  /** What the page has for the menus. */
  onMenuContent(content: MenuContent): void;
  remote: RemoteAnswers;
}

/** What electron/remoteSession.ts answers. */
interface RemoteAnswers {
  connect(target: unknown): Promise<AppErrorShape | null>;
  leave(): void;
  retry(): void;
  recents(): readonly SshTarget[];
  forget(host: string): readonly SshTarget[];
}

export function answerPage({ window, allowedOrigin, isRemote, onMenuContent, remote }: PageOptions): void {
  const handle = <A extends unknown[]>(
    channel: string,
    who: 'anyPage' | 'ownPage',
    answer: (to: BrowserWindow, ...args: A) => unknown,
  ) => {
    ipcMain.handle(channel, (event: IpcMainInvokeEvent, ...args: unknown[]) => {
      const to = window();
      if (!to || event.sender !== to.webContents || new URL(addressOfSender(event)).origin !== allowedOrigin()) {
        throw new Error('This page may not use the desktop. Reload the window.');
      }
      if (who === 'ownPage' && isRemote()) throw new Error("The page of another machine's engine may not do this.");
      return answer(to, ...(args as A));
    });
  };
  handle(channels.openFolder, 'ownPage', (to) => choosePaths(to, openFolderDialog));
  handle(channels.openFiles, 'ownPage', (to) => choosePaths(to, openFilesDialog));
  handle(channels.fillMenu, 'anyPage', (_to, content: unknown) => onMenuContent(menuContentSchema.parse(content)));
  handle(channels.saveFile, 'anyPage', (to, name: unknown, bytes: unknown) => {
    if (typeof name !== 'string' || name === '') throw new Error('A file name is needed to save.');
    // Without bytes only a path of this machine would come of it.
    if (isRemote() && !(bytes instanceof Uint8Array)) throw new Error('There is nothing to save.');
    return saveBytes(to, name, bytes instanceof Uint8Array ? bytes : undefined);
  });
  handle(channels.saveFolder, 'anyPage', (to, name: unknown, contents: unknown) => {
    if (!isPlainName(name) || !Array.isArray(contents) || !contents.every(isNamedBytes))
      throw new Error('A folder is saved with plain file names.');
    return saveFolder(to, name, contents);
  });
  handle(channels.connectRemote, 'ownPage', (_to, target: unknown) => remote.connect(target));
  handle(channels.recentRemotes, 'ownPage', () => remote.recents());
  handle(channels.forgetRemote, 'ownPage', (_to, host: unknown) => remote.forget(String(host)));
  handle(channels.leaveRemote, 'anyPage', () => remote.leave());
  handle(channels.retryRemote, 'anyPage', () => remote.retry());
}
