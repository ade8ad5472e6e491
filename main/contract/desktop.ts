/**
 * What only the desktop shell has, as the page sees it: `window.rotascope`, absent in a browser.
 * The whole bridge on one screen; electron/preload.ts implements it.
 */

/** Pages that the menu's Ctrl/Cmd+1, 2, ... go to. */
export type DesktopPage = 'home' | 'studies' | 'checkpoints' | 'spectrum' | 'ablations' | 'figures' | 'jobs';

/** What a native menu, a dock icon or a second start asks the page to do. */
export type MenuCommand =
  /** Import these files and folders: chosen in the dialog, given to a second start, or opened from the desktop. */
  | { type: 'open'; paths: string[] }
  | { type: 'newStudy' }
  | { type: 'go'; page: DesktopPage }
  | { type: 'palette' }
  | { type: 'theme'; theme: 'system' | 'light' | 'dark' };

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
}
