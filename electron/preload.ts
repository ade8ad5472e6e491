/** The bridge between the sandboxed page and the shell: `window.rotascope`, as main/contract/desktop.ts has it. */
import { contextBridge, ipcRenderer } from 'electron';
import type { DesktopBridge, MenuCommand } from '../main/contract/desktop.ts';
import { channels } from './channels.ts';
import { openFilePaths } from './versions.ts';

const version = process.argv.find((argument) => argument.startsWith('--rotascope-version='))?.split('=')[1] ?? '';

/** Commands that came before the page was ready for them: a first start with paths, a menu used early. */
let waiting: MenuCommand[] = [];
let onCommand = (command: MenuCommand): void => {
  waiting.push(command);
};
ipcRenderer.on(channels.menu, (_event, command: MenuCommand) => onCommand(command));

const bridge: DesktopBridge = {
  platform: process.platform as DesktopBridge['platform'],
  version,
  pathsForFiles: openFilePaths(),
  openFolder: () => ipcRenderer.invoke(channels.openFolder) as Promise<string[]>,
  openFiles: () => ipcRenderer.invoke(channels.openFiles) as Promise<string[]>,
  saveFile: (name, bytes) => ipcRenderer.invoke(channels.saveFile, name, bytes) as Promise<string | null>,
  fillMenu: (content) => ipcRenderer.invoke(channels.fillMenu, content) as Promise<void>,
  saveFolder: (name, files) => ipcRenderer.invoke(channels.saveFolder, name, files) as Promise<string | null>,
  onMenu(callback) {
    onCommand = callback;
    const missed = waiting;
    waiting = [];
    for (const command of missed) callback(command);
  },
};
contextBridge.exposeInMainWorld('rotascope', bridge);
