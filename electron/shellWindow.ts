/** The shell's one window over its life: opened, shown the engine's page, closed, opened again (macOS). */
import { app, nativeTheme } from 'electron';
import type { BrowserWindow, OpenDialogOptions } from 'electron';
import type { MenuCommand } from '../main/contract/desktop.ts';
import type { Listening } from '../main/contract/wire.ts';
import { channels } from './channels.ts';
import { choosePaths } from './dialogs.ts';
import { bringToFront, openWindow, stateOf } from './window.ts';
import { readWindowState, writeWindowState } from './windowState.ts';
import type { WindowState } from './windowState.ts';

export interface ShellWindowOptions {
  preload: string;
  icon: string | undefined;
  statePath: string;
  engine(): Listening | null;
  /** Asked when the user closes the window. @returns whether it may close */
  onClose(): boolean;
}

export class ShellWindow {
  theme: WindowState['theme'];
  private current: BrowserWindow | null = null;
  private shownAddress = '';
  private shownOrigin = '';
  /** Commands for a page that is not there yet. */
  private waiting: MenuCommand[] = [];
  private loaded = false;
  private readonly options: ShellWindowOptions;

  constructor(options: ShellWindowOptions) {
    this.options = options;
    this.theme = readWindowState(options.statePath).theme;
  }

  get window(): BrowserWindow | null {
    return this.current;
  }

  open(): void {
    const { preload, icon, statePath, engine, onClose } = this.options;
    const state = readWindowState(statePath);
    const window = openWindow({ preload, icon, state, allowedOrigin: () => this.shownOrigin });
    this.current = window;
    this.shownAddress = '';
    window.on('close', (event) => {
      if (onClose()) this.remember();
      else event.preventDefault();
    });
    window.on('closed', () => {
      this.current = null;
      this.loaded = false;
    });
    window.webContents.on('did-finish-load', () => {
      this.loaded = true;
      for (const command of this.waiting.splice(0)) this.send(command);
    });
    const listening = engine();
    if (listening) this.show(listening);
  }

  /** The engine's page. One that came back at the same address is left alone: the page reconnects by itself. */
  show(listening: Listening): void {
    if (!this.current || listening.address === this.shownAddress) return;
    this.shownAddress = listening.address;
    this.shownOrigin = listening.origin;
    // Rejects when another navigation overtakes it, or when the engine died meanwhile: then the next one is shown.
    this.current.loadURL(listening.address).catch((error: unknown) => console.error(String(error)));
  }

  send(command: MenuCommand): void {
    if (this.current && this.loaded) this.current.webContents.send(channels.menu, command);
    else this.waiting.push(command);
  }

  openPaths(paths: string[]): void {
    if (paths.length === 0) return;
    for (const path of paths) app.addRecentDocument(path);
    this.send({ type: 'open', paths });
  }

  async chooseAndOpen(options: OpenDialogOptions): Promise<void> {
    if (this.current) this.openPaths(await choosePaths(this.current, options));
  }

  setTheme(theme: WindowState['theme']): void {
    this.theme = theme;
    nativeTheme.themeSource = theme;
    this.send({ type: 'theme', theme });
  }

  toFront(): void {
    if (!this.current) this.open();
    if (this.current) bringToFront(this.current);
  }

  /** Writes where the window is, for the next start. */
  remember(): void {
    if (this.current) writeWindowState(this.options.statePath, stateOf(this.current, this.theme));
  }
}
