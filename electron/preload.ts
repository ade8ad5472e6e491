/** The bridge between the sandboxed page and the shell: `window.rotascope`, as main/contract/desktop.ts has it. */
import { contextBridge, ipcRenderer } from 'electron';
import type { DesktopBridge, MenuCommand, SshTarget, TunnelFault } from '../main/contract/desktop.ts';
import type { AppErrorShape } from '../main/contract/errors.ts';
import { channels } from './channels.ts';
import { openFilePaths } from './versions.ts';

const argument = (name: string): string | undefined =>
  process.argv.find((one) => one.startsWith(`--rotascope-${name}=`))?.split('=')[1];
const remoteName = argument('remote');
const remote = remoteName === undefined ? null : decodeURIComponent(remoteName);

/** Commands that came before the page was ready for them: a first start with paths, a menu used early. */
let waiting: MenuCommand[] = [];
let onCommand = (command: MenuCommand): void => {
  waiting.push(command);
};
ipcRenderer.on(channels.menu, (_event, command: MenuCommand) => onCommand(command));

const bridge: DesktopBridge = {
  platform: process.platform as DesktopBridge['platform'],
  version: argument('version') ?? '',
  // Where files of this machine lie is not told to another one's page.
  pathsForFiles: remote === null ? openFilePaths() : () => [],
  openFolder: () => ipcRenderer.invoke(channels.openFolder) as Promise<string[]>,
  openFiles: () => ipcRenderer.invoke(channels.openFiles) as Promise<string[]>,
  saveFile: (name, bytes) => ipcRenderer.invoke(channels.saveFile, name, bytes) as Promise<string | null>,
  fillMenu: (content) => ipcRenderer.invoke(channels.fillMenu, content) as Promise<void>,
  saveFolder: (name, files) => ipcRenderer.invoke(channels.saveFolder, name, files) as Promise<string | null>,
  remote,
  connectRemote: (target) => ipcRenderer.invoke(channels.connectRemote, target) as Promise<AppErrorShape | null>,
  leaveRemote: () => ipcRenderer.invoke(channels.leaveRemote) as Promise<void>,
  retryRemote: () => ipcRenderer.invoke(channels.retryRemote) as Promise<void>,
  recentRemotes: () => ipcRenderer.invoke(channels.recentRemotes) as Promise<SshTarget[]>,
  forgetRemote: (host) => ipcRenderer.invoke(channels.forgetRemote, host) as Promise<SshTarget[]>,
  onTunnel: (callback) => void ipcRenderer.on(channels.tunnel, (_event, fault: TunnelFault) => callback(fault)),
  onMenu(callback) {
    onCommand = callback;
    const missed = waiting;
    waiting = [];
    for (const command of missed) callback(command);
  },
};
contextBridge.exposeInMainWorld('rotascope', bridge);
