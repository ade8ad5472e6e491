/** Where the window was and what the user chose in the shell: read at the start, written when it changes. Knows nothing of Electron. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { sshTargetSchema } from '../main/contract/desktop.ts';
import type { SshTarget } from '../main/contract/desktop.ts';

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface WindowPlace {
  /** Absent at the first start: centred by the system. */
  bounds: Rectangle | undefined;
  maximized: boolean;
}
export interface ShellChoices {
  /** Chromium's zoom level: 0 is 100 %, each step a factor of 1.2. */
  zoom: number;
  theme: 'system' | 'light' | 'dark';
  /** Say so when a long job ends while another window has the focus. */
  notifications: boolean;
  /** Machines connected to over SSH, the last one first. Their tokens are asked for anew each time, never kept. */
  remotes: readonly SshTarget[];
}
export interface WindowState extends WindowPlace, ShellChoices {}

export const firstState: WindowState = {
  bounds: undefined,
  maximized: false,
  zoom: 0,
  theme: 'system',
  notifications: true,
  remotes: [],
};
const keptRemotes = 6;
export const minimumSize = { width: 720, height: 480 };
/** 58 % to 250 %: what the pages are laid out for. */
const zoomLimits = { least: -3, most: 5 };
/** At least this much of the title bar must be on a display to be grabbed. */
const graspablePixels = 100;
const titleBarPixels = 30;

/** The state as it was written; what cannot be read or makes no sense is as at the first start. */
export function readWindowState(path: string): WindowState {
  try {
    const stored = JSON.parse(readFileSync(path, 'utf8')) as Partial<WindowState>;
    const theme = stored.theme === 'light' || stored.theme === 'dark' ? stored.theme : 'system';
    const zoom = Number.isFinite(stored.zoom) ? zoomWithin(stored.zoom!) : firstState.zoom;
    const notifications = stored.notifications !== false;
    const maximized = stored.maximized === true;
    const remotes = sensibleRemotes(stored.remotes);
    return { bounds: sensible(stored.bounds), maximized, zoom, theme, notifications, remotes };
  } catch {
    return firstState;
  }
}

/** With `target` first. */
export function withRemote(remotes: readonly SshTarget[], target: SshTarget): SshTarget[] {
  return [target, ...withoutRemote(remotes, target.host)].slice(0, keptRemotes);
}

export const withoutRemote = (remotes: readonly SshTarget[], host: string): SshTarget[] =>
  remotes.filter((remote) => remote.host !== host);

function sensibleRemotes(stored: unknown): SshTarget[] {
  const list: unknown[] = Array.isArray(stored) ? stored.slice(0, keptRemotes) : [];
  return list.flatMap((one) => {
    const { data } = sshTargetSchema.safeParse(one);
    return data ? [data] : [];
  });
}

export function zoomWithin(level: number): number {
  return Math.min(zoomLimits.most, Math.max(zoomLimits.least, level));
}

/** Written beside and renamed. A full disk loses only the window's place. */
export function writeWindowState(path: string, state: WindowState): void {
  try {
    writeFileSync(`${path}.partial`, JSON.stringify(state));
    renameSync(`${path}.partial`, path);
  } catch {
    // Nothing the user could do about it while closing the window.
  }
}

/**
 * `bounds` where a display still shows enough of them, no larger than that display; else undefined (the display was
 * unplugged), and the system places the window.
 */
export function onDisplays(bounds: Rectangle | undefined, displays: readonly Rectangle[]): Rectangle | undefined {
  if (!bounds) return undefined;
  const across = (display: Rectangle): number =>
    Math.min(bounds.x + bounds.width, display.x + display.width) - Math.max(bounds.x, display.x);
  const shown = displays
    .filter(
      (display) =>
        across(display) >= graspablePixels &&
        bounds.y >= display.y - 1 &&
        bounds.y + titleBarPixels <= display.y + display.height,
    )
    .sort((a, b) => across(b) - across(a))[0];
  if (!shown) return undefined;
  // A window over two displays keeps its width; one that is larger than all of them would hide its edges.
  const widest = Math.max(...displays.map(({ x, width }) => x + width)) - Math.min(...displays.map(({ x }) => x));
  const tallest = Math.max(...displays.map(({ height }) => height));
  return { ...bounds, width: Math.min(bounds.width, widest), height: Math.min(bounds.height, tallest) };
}

function sensible(bounds: Partial<Rectangle> | undefined): Rectangle | undefined {
  if (!bounds) return undefined;
  const { x, y, width, height } = bounds;
  if (![x, y, width, height].every((value) => Number.isFinite(value))) return undefined;
  return {
    x: Math.round(x!),
    y: Math.round(y!),
    width: Math.max(minimumSize.width, Math.round(width!)),
    height: Math.max(minimumSize.height, Math.round(height!)),
  };
}
