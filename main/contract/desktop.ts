/**
 * What only the desktop shell has, as the page sees it: `window.rotascope`, absent in a browser.
 * The whole bridge on one screen; electron/preload.ts implements it.
 */
import { z } from 'zod';
import type { AppErrorShape } from './errors.ts';

/** A page of the lab, as a menu shows it. */
const placeSchema = z.object({
  label: z.string().min(1).max(300),
  path: z
    .string()
    .max(1000)
    .regex(/^\/(?!\/)/, 'is not a path of the lab'),
});
export type MenuPlace = z.infer<typeof placeSchema>;

const themeSchema = z.enum(['system', 'light', 'dark']);

/** What the page knows and the native menus show. */
export const menuContentSchema = z.object({
  /** Pages in the order of the left rail; the position is the key (Ctrl/Cmd+1 ...). */
  pages: z.array(placeSchema).max(20),
  /** Opened last, newest first. */
  recents: z.array(placeSchema).max(9),
  /** Where Ctrl/Cmd+, leads; null without such a page. */
  settings: placeSchema.nullable(),
  /** As chosen in the page: the title bar and the menu follow. */
  theme: themeSchema,
});
export type MenuContent = z.infer<typeof menuContentSchema>;

/** What a native menu, a dock icon or a second start asks the page to do. */
export type MenuCommand =
  /** Look at these files and folders: chosen in the dialog, given to a second start, or opened from the desktop. None: ask. */
  | { type: 'open'; paths: string[] }
  | { type: 'go'; path: string }
  | { type: 'palette' }
  | { type: 'shortcuts' }
  /** What the page on the screen answers and how to read it. */
  | { type: 'guide' }
  /** Into the field that filters what the page lists. */
  | { type: 'find' }
  /** Start what the page prepares. */
  | { type: 'run' }
  | { type: 'theme'; theme: z.infer<typeof themeSchema> };

/**
 * A machine that the system's `ssh` reaches. Both become arguments of it, and `command` goes to that machine's shell: what
 * would be an option, or more than words to a shell, is refused.
 */
export const sshTargetSchema = z.object({
  /** "user@host", a name of ~/.ssh/config, "ssh://user@host:2222". */
  host: z
    .string()
    .max(255)
    .regex(/^(ssh:\/\/)?\w[\w.@:[\]-]*$/, 'is not a name that ssh takes, such as user@host'),
  /** What runs Rotascope there. */
  command: z
    .string()
    .max(500)
    .regex(/^[\w./~][\w./~@+:,= -]*$/, 'may hold paths and words only'),
});
export type SshTarget = z.infer<typeof sshTargetSchema>;

/** An engine elsewhere: at the near end of a tunnel that stands, or on a machine to which the shell opens one. */
export const remoteTargetSchema = z.union([z.object({ address: z.string().max(500) }), sshTargetSchema]);
export type RemoteTarget = z.infer<typeof remoteTargetSchema>;

/** Of the window's own tunnel: why it is down, and when it is tried again; null while it stands. */
export type TunnelFault = { reason: string; retryAtMs: number } | null;

/**
 * In a window on another machine's engine the page comes from there. What is of this machine is refused to it: paths of
 * files, dialogs that choose them, connecting elsewhere.
 */
export interface DesktopBridge {
  platform: 'linux' | 'darwin' | 'win32';
  /** Version of the app. */
  version: string;
  /** Absolute paths of dropped or chosen files, in their order. A file without a path (from a page) is left out. */
  pathsForFiles(files: readonly File[]): string[];
  /** Native dialogs; an empty list when the user cancels. */
  openFolder(): Promise<string[]>;
  openFiles(): Promise<string[]>;
  /**
   * Asks where to save; with `bytes`, also writes them (to `<path>.partial`, then renamed).
   * @returns the path, or null when the user cancels.
   */
  saveFile(name: string, bytes?: Uint8Array): Promise<string | null>;
  /**
   * Asks for a folder and writes the files into a new folder of that name in it (another name when it is taken).
   * @returns the new folder's path, or null when the user cancels.
   */
  saveFolder(name: string, files: readonly { name: string; bytes: Uint8Array }[]): Promise<string | null>;
  /** Registers the page's handler; commands that came before it are handed over at once. */
  onMenu(callback: (command: MenuCommand) => void): void;
  /** Pages, recent items and theme of the native menus. */
  fillMenu(content: MenuContent): Promise<void>;
  /** The machine whose engine the window shows, as the user named it; null: this one. */
  remote: string | null;
  /** @returns why not, with the next step; null: the window goes there */
  connectRemote(target: RemoteTarget): Promise<AppErrorShape | null>;
  /** Gives up an attempt to connect; from a window on another machine's engine, back to this one. */
  leaveRemote(): Promise<void>;
  /** Tries a tunnel that is down at once. */
  retryRemote(): Promise<void>;
  /** Machines that were connected to over SSH, the last one first. */
  recentRemotes(): Promise<SshTarget[]>;
  forgetRemote(host: string): Promise<SshTarget[]>;
  onTunnel(callback: (fault: TunnelFault) => void): void;
}
