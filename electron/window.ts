/**
 * The window: a sandboxed page of the engine and nothing else. It stays on the engine's origin, opens no other window,
 * gets no permission but writing text to the clipboard, and hands https links to the system's browser.
 *
 * A page of another machine's engine has a window and a session of its own, in memory. An origin here is a port, and ports
 * are used again: what such a page leaves (cache, service worker) must never meet this machine's engine.
 */
import { app, BrowserWindow, nativeTheme, screen, shell } from 'electron';
import type { WebContents } from 'electron';
import { isolatedPreferences, onPageGone, refuseNewWindows } from './versions.ts';
import { minimumSize, onDisplays } from './windowState.ts';
import type { WindowPlace } from './windowState.ts';

export interface WindowOptions {
  preload: string;
  icon: string | undefined;
  place: WindowPlace;
  /** The machine whose engine it shows; null: this one. */
  remote: string | null;
  /** Origin of the engine's pages; empty until the engine is ready. */
  allowedOrigin(): string;
  /** The page asks to go elsewhere: true when the shell took this address as an action of its own. */
  takesAction(address: string): boolean;
  /** The page's process has died. */
  onGone(reason: string): void;
  /** Ctrl with the wheel. */
  onZoom(direction: 'in' | 'out'): void;
}

const firstSize = { width: 1280, height: 860 };
let remoteSessions = 0;
/** The page's own background, so that nothing flashes before it draws. */
const background = { light: '#f4f6f8', dark: '#10161b' };

export function openWindow(options: WindowOptions): BrowserWindow {
  const { preload, icon, place, remote, allowedOrigin, onGone, onZoom } = options;
  const displays = screen.getAllDisplays().map((display) => display.workArea);
  const window = new BrowserWindow({
    ...firstSize,
    ...onDisplays(place.bounds, displays),
    minWidth: minimumSize.width,
    minHeight: minimumSize.height,
    title: 'Rotascope',
    ...(icon ? { icon } : {}),
    backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
    webPreferences: {
      ...isolatedPreferences,
      preload,
      ...(remote === null ? {} : { partition: `remote-${(remoteSessions += 1)}` }),
      additionalArguments: [
        `--rotascope-version=${app.getVersion()}`,
        ...(remote === null ? [] : [`--rotascope-remote=${encodeURIComponent(remote)}`]),
      ],
    },
  });
  if (place.maximized) window.maximize();
  keepOnOrigin(window.webContents, options);
  refusePermissions(window.webContents, allowedOrigin);
  if (remote !== null) nameMachine(window, remote);
  window.webContents.on('zoom-changed', (_event, direction) => onZoom(direction));
  onPageGone(window, (reason) => {
    if (reason !== 'clean-exit' && !window.isDestroyed()) onGone(reason);
  });
  return window;
}

/** @returns what to restore at the next start */
export function placeOf(window: BrowserWindow): WindowPlace {
  return { bounds: window.getNormalBounds(), maximized: window.isMaximized() };
}

/** Comes to the front, whatever it was doing. */
export function bringToFront(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

function keepOnOrigin(contents: WebContents, { allowedOrigin, takesAction }: WindowOptions): void {
  const refuseElsewhere = (event: { preventDefault(): void }, address: string): void => {
    if (sameOrigin(address, allowedOrigin())) return;
    event.preventDefault();
    if (!takesAction(address)) openOutside(address);
  };
  contents.on('will-navigate', refuseElsewhere);
  contents.on('will-redirect', refuseElsewhere);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  refuseNewWindows(contents, openOutside);
}

/** Whatever the page calls itself, the window says where it is from. */
function nameMachine(window: BrowserWindow, remote: string): void {
  window.setTitle(`Remote: ${remote}`);
  window.on('page-title-updated', (event, title) => {
    event.preventDefault();
    window.setTitle(`Remote: ${remote} - ${title}`);
  });
}

function refusePermissions({ session }: WebContents, allowedOrigin: () => string): void {
  const allowed = (permission: string, address: string): boolean =>
    permission === 'clipboard-sanitized-write' && sameOrigin(address, allowedOrigin());
  session.setPermissionRequestHandler((contents, permission, answer) => {
    answer(allowed(permission, contents.getURL()));
  });
  session.setPermissionCheckHandler((_contents, permission, origin) => allowed(permission, origin));
}

/** Only https leaves the app; file:, javascript: and the like go nowhere. */
export function openOutside(address: string): void {
  if (/^https:\/\//i.test(address)) void shell.openExternal(address);
}

/** @param origin empty while there is no engine: then no address is allowed */
function sameOrigin(address: string, origin: string): boolean {
  try {
    return origin !== '' && new URL(address).origin === origin;
  } catch {
    return false;
  }
}
