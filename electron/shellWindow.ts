/**
 * The shell's one window over its life: opened, shown the engine's page or the page of a crash, closed, opened again
 * (macOS), replaced by one for another machine's engine and back.
 */
import { app, nativeTheme } from 'electron';
import type { BrowserWindow, OpenDialogOptions } from 'electron';
import type { MenuCommand, TunnelFault } from '../main/contract/desktop.ts';
import { withoutToken } from '../main/contract/wire.ts';
import type { Listening } from '../main/contract/wire.ts';
import { channels } from './channels.ts';
import { actionOfAddress, crashPageAddress } from './crashPage.ts';
import type { CrashAction, CrashReport } from './crashPage.ts';
import { choosePaths } from './dialogs.ts';
import { bringToFront, openWindow, placeOf } from './window.ts';
import { readWindowState, writeWindowState, zoomWithin } from './windowState.ts';
import type { ShellChoices, WindowState } from './windowState.ts';

type EnginePage = Pick<Listening, 'origin' | 'address'>;

export interface ShellWindowOptions {
  preload: string;
  icon: string | undefined;
  statePath: string;
  /** Whose page is to be shown; null while there is none. */
  engine(): EnginePage | null;
  /** The machine it runs on; null: this one. */
  remote(): string | null;
  /** Asked when the user closes the window. @returns whether it may close */
  onClose(): boolean;
  /** A button of the crash page. @returns what it did, to be said on that page */
  onCrashAction(action: CrashAction, report: CrashReport): Promise<string>;
}

/** A page whose process dies twice within this time would do so again, ms. */
const crashWindowMs = 60_000;
/** Chromium's code of a load that another one has overtaken. */
const overtaken = -3;
/** About a tenth larger or smaller. */
const zoomStep = 0.5;

export class ShellWindow {
  private state: WindowState;
  private current: BrowserWindow | null = null;
  private shownAddress = '';
  private shownOrigin = '';
  /** Shown in place of the engine's page. */
  private crash: CrashReport | null = null;
  private lastGoneMs = -Infinity;
  /** Commands for a page that is not there yet. */
  private waiting: MenuCommand[] = [];
  private loaded = false;
  private readonly options: ShellWindowOptions;

  constructor(options: ShellWindowOptions) {
    this.options = options;
    this.state = readWindowState(options.statePath);
  }

  get window(): BrowserWindow | null {
    return this.current;
  }

  get choices(): ShellChoices {
    return this.state;
  }

  open(): void {
    const { preload, icon, engine, remote, onClose } = this.options;
    const machine = remote();
    const window = openWindow({
      ...{ preload, icon, place: this.state, remote: machine },
      allowedOrigin: () => this.shownOrigin,
      takesAction: (address) => this.takesAction(address),
      onGone: (reason) => this.pageGone(reason),
      onZoom: (direction) => this.zoom(direction),
    });
    this.current = window;
    this.shownAddress = '';
    window.on('close', (event) => {
      if (onClose()) this.remember();
      else event.preventDefault();
    });
    window.on('closed', () => {
      if (this.current !== window) return; // Another one has taken its place.
      this.current = null;
      this.loaded = false;
    });
    window.webContents.on('did-fail-load', (_event, code, _description, _address, isMainFrame) => {
      if (machine !== null && isMainFrame && code !== overtaken) this.showCrash(unreachable(machine));
    });
    window.webContents.on('did-finish-load', () => {
      // Chromium keeps zoom by address, and the engine's port may be another one.
      window.webContents.setZoomLevel(this.state.zoom);
      if (this.crash) return;
      this.loaded = true;
      for (const command of this.waiting.splice(0)) this.send(command);
    });
    const listening = engine();
    if (this.crash) this.showCrash(this.crash);
    else if (listening) this.show(listening);
  }

  /** The engine's page. One that came back at the same address is left alone: the page reconnects by itself. */
  show(listening: EnginePage): void {
    this.crash = null;
    if (!this.current || listening.address === this.shownAddress) return;
    this.shownOrigin = listening.origin;
    this.load(listening.address);
  }

  /** The page of the engine that is to be shown by now, in a window of its own kind at the same place. */
  replace(): void {
    const before = this.current;
    if (before) this.state = { ...this.state, ...placeOf(before) };
    this.crash = null;
    this.loaded = false;
    this.waiting = [];
    this.open();
    before?.destroy();
  }

  sendTunnel(fault: TunnelFault): void {
    this.current?.webContents.send(channels.tunnel, fault);
  }

  /** In place of the engine's page, until `show`; once there is a window. */
  showCrash(report: CrashReport, said = ''): void {
    this.crash = report;
    this.loaded = false;
    if (this.current) this.load(crashPageAddress(report, said));
    else if (app.isReady()) this.open();
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

  choose(choices: Partial<ShellChoices>): void {
    this.state = { ...this.state, ...choices };
    this.remember();
    this.current?.webContents.setZoomLevel(this.state.zoom);
    if (!choices.theme) return;
    nativeTheme.themeSource = choices.theme;
    this.send({ type: 'theme', theme: choices.theme });
  }

  zoom(to: 'in' | 'out' | 'reset'): void {
    const level = { in: this.state.zoom + zoomStep, out: this.state.zoom - zoomStep, reset: 0 }[to];
    this.choose({ zoom: zoomWithin(level) });
  }

  toFront(): void {
    if (!this.current) this.open();
    if (this.current) bringToFront(this.current);
  }

  /** Writes where the window is and what was chosen, for the next start. */
  remember(): void {
    if (this.current) this.state = { ...this.state, ...placeOf(this.current) };
    writeWindowState(this.options.statePath, this.state);
  }

  private load(address: string): void {
    this.shownAddress = address;
    // Rejects when another navigation overtakes it, or when the engine died meanwhile: then the next one is shown.
    this.current?.loadURL(address).catch((error: unknown) => console.error(withoutToken(String(error))));
  }

  /** A page whose process was killed (out of memory, a driver) comes back as it was: its state lives in the engine. */
  private pageGone(reason: string): void {
    const again = Date.now() - this.lastGoneMs < crashWindowMs;
    this.lastGoneMs = Date.now();
    this.loaded = false;
    const nextStep =
      'Jobs go on: the engine runs by itself. Restart loads the page again; close what takes much memory first.';
    const fact = `The page ended twice within a minute (${reason}).`;
    // Old versions of Electron do not survive a navigation from within this event.
    setTimeout(() => {
      if (again) this.showCrash({ fact, nextStep, lines: [] });
      else this.load(this.shownAddress);
    });
  }

  private takesAction(address: string): boolean {
    const report = this.crash;
    const action = report && actionOfAddress(address);
    if (!action) return false;
    void this.options.onCrashAction(action, report).then((said) => {
      if (this.crash === report && said !== '') this.showCrash(report, said);
    });
    return true;
  }
}

function unreachable(machine: string): CrashReport {
  return {
    fact: `The engine on ${machine} cannot be reached.`,
    nextStep:
      'Its jobs go on there. A tunnel that this window opened is tried again by itself; your own has to be opened again in its terminal.',
    lines: [],
    actions: [
      ['restart', 'Try again'],
      ['leave', 'Back to this machine'],
      ['quit', 'Quit'],
    ],
  };
}
