/**
 * The native menus, as each system has them, as plain data: electron/main.ts makes a menu of it. Imports only types of
 * Electron, so that the keys can be tested without a window.
 */
import type { MenuItemConstructorOptions } from 'electron';
import type { DesktopPage, MenuCommand } from '../main/contract/desktop.ts';
import type { WindowState } from './windowState.ts';

export interface MenuActions {
  /** To the page. */
  send(command: MenuCommand): void;
  openFolder(): void;
  openFiles(): void;
  setTheme(theme: WindowState['theme']): void;
  copyDiagnostics(): void;
  showDataFolder(): void;
  openDocumentation(): void;
  quit(): void;
}

/** Pages in the order of the left rail; the position is the key (Ctrl/Cmd+1 ...). */
const pages: { page: DesktopPage; label: string }[] = [
  { page: 'home', label: 'Home' },
  { page: 'studies', label: 'Studies' },
  { page: 'checkpoints', label: 'Checkpoints' },
  { page: 'spectrum', label: 'Spectrum' },
  { page: 'ablations', label: 'Ablations' },
  { page: 'figures', label: 'Figures' },
  { page: 'jobs', label: 'Jobs' },
];

const themes: { theme: WindowState['theme']; label: string }[] = [
  { theme: 'system', label: 'As the system' },
  { theme: 'light', label: 'Light' },
  { theme: 'dark', label: 'Dark' },
];

const separator: MenuItemConstructorOptions = { type: 'separator' };

/** @param name of the app, for the macOS app menu */
export function menuTemplate(
  platform: NodeJS.Platform,
  name: string,
  theme: WindowState['theme'],
  actions: MenuActions,
): MenuItemConstructorOptions[] {
  const mac = platform === 'darwin';
  const quit: MenuItemConstructorOptions = {
    id: 'quit',
    label: platform === 'win32' ? 'Exit' : mac ? `Quit ${name}` : 'Quit',
    accelerator: platform === 'win32' ? 'Alt+F4' : 'CmdOrCtrl+Q',
    click: actions.quit,
  };
  return [
    ...(mac ? [appMenu(name, quit)] : []),
    fileMenu(mac ? [] : [separator, quit], actions),
    editMenu(actions),
    viewMenu(theme, actions),
    ...(mac ? [{ role: 'windowMenu' } as const] : []),
    helpMenu(mac, actions),
  ];
}

function appMenu(name: string, quit: MenuItemConstructorOptions): MenuItemConstructorOptions {
  return {
    label: name,
    submenu: [
      { role: 'about' },
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      quit,
    ],
  };
}

function fileMenu(last: MenuItemConstructorOptions[], actions: MenuActions): MenuItemConstructorOptions {
  return {
    id: 'file',
    label: '&File',
    submenu: [
      {
        id: 'newStudy',
        label: 'New study',
        accelerator: 'CmdOrCtrl+N',
        click: () => actions.send({ type: 'newStudy' }),
      },
      // Systems other than macOS cannot offer files and folders in one dialog.
      { id: 'openFolder', label: 'Open checkpoint…', accelerator: 'CmdOrCtrl+O', click: actions.openFolder },
      { id: 'openFiles', label: 'Open files…', accelerator: 'CmdOrCtrl+Shift+O', click: actions.openFiles },
      ...last,
    ],
  };
}

function editMenu(actions: MenuActions): MenuItemConstructorOptions {
  return {
    id: 'edit',
    label: '&Edit',
    submenu: [
      { role: 'undo' },
      { role: 'redo' },
      separator,
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      { role: 'selectAll' },
      separator,
      { id: 'palette', label: 'Go to…', accelerator: 'CmdOrCtrl+K', click: () => actions.send({ type: 'palette' }) },
    ],
  };
}

function viewMenu(theme: WindowState['theme'], actions: MenuActions): MenuItemConstructorOptions {
  return {
    id: 'view',
    label: '&View',
    submenu: [
      ...pages.map(({ page, label }, index): MenuItemConstructorOptions => ({
        id: page,
        label,
        accelerator: `CmdOrCtrl+${index + 1}`,
        click: () => actions.send({ type: 'go', page }),
      })),
      separator,
      {
        id: 'theme',
        label: 'Theme',
        submenu: themes.map((choice): MenuItemConstructorOptions => ({
          id: `theme-${choice.theme}`,
          label: choice.label,
          type: 'radio',
          checked: choice.theme === theme,
          click: () => actions.setTheme(choice.theme),
        })),
      },
      separator,
      { role: 'reload' },
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { role: 'togglefullscreen' },
      { role: 'toggleDevTools' },
    ],
  };
}

function helpMenu(mac: boolean, actions: MenuActions): MenuItemConstructorOptions {
  return {
    id: 'help',
    role: 'help',
    label: '&Help',
    submenu: [
      { id: 'documentation', label: 'Documentation', accelerator: 'F1', click: actions.openDocumentation },
      { id: 'showDataFolder', label: 'Show data folder', click: actions.showDataFolder },
      { id: 'copyDiagnostics', label: 'Copy diagnostics', click: actions.copyDiagnostics },
      ...(mac ? [] : [separator, { role: 'about' } as const]),
    ],
  };
}
