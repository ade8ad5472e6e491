/** Where the window was: read when it opens, written when it closes. Knows nothing of Electron. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface WindowState {
  /** Absent at the first start: centred by the system. */
  bounds: Rectangle | undefined;
  maximized: boolean;
  theme: 'system' | 'light' | 'dark';
}

export const firstState: WindowState = { bounds: undefined, maximized: false, theme: 'system' };
export const minimumSize = { width: 720, height: 480 };
/** At least this much of the title bar must be on a display to be grabbed. */
const graspablePixels = 100;

/** The state as it was written; what cannot be read or makes no sense is as at the first start. */
export function readWindowState(path: string): WindowState {
  try {
    const stored = JSON.parse(readFileSync(path, 'utf8')) as Partial<WindowState>;
    const theme = stored.theme === 'light' || stored.theme === 'dark' ? stored.theme : 'system';
    return { bounds: sensible(stored.bounds), maximized: stored.maximized === true, theme };
  } catch {
    return firstState;
  }
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

/** `bounds` when a display still shows enough of them, else undefined (the display was unplugged). */
export function onDisplays(bounds: Rectangle | undefined, displays: readonly Rectangle[]): Rectangle | undefined {
  if (!bounds) return undefined;
  const shown = displays.some((display) => {
    const across = Math.min(bounds.x + bounds.width, display.x + display.width) - Math.max(bounds.x, display.x);
    return across >= graspablePixels && bounds.y >= display.y - 1 && bounds.y + 30 <= display.y + display.height;
  });
  return shown ? bounds : undefined;
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
