/**
 * The native menus, as each system has them, as plain data: electron/main.ts makes a menu of it. Imports only types of
 * Electron, so that the keys can be tested without a window.
 */
import type { MenuItemConstructorOptions } from 'electron';
import type { MenuCommand, MenuContent } from '../main/contract/desktop.ts';
import type { ShellChoices } from './windowState.ts';

export interface MenuActions {
  /** To the page. */
  send(command: MenuCommand): void;
  openFolder(): void;
  openFiles(): void;
  setTheme(theme: ShellChoices['theme']): void;
  setNotifications(on: boolean): void;
  zoom(to: 'in' | 'out' | 'reset'): void;
  checkForUpdates(): void;
  copyDiagnostics(): void;
  showDataFolder(): void;
  openDocumentation(): void;
  /** From another machine's engine. */
  leaveRemote(): void;
  quit(): void;
}

type Item = MenuItemConstructorOptions;

/** Before the page has told what it has. */
export const emptyContent: Omit<MenuContent, 'theme'> = { pages: [], recents: [], settings: null };

const themes: { theme: ShellChoices['theme']; label: string }[] = [
  { theme: 'system', label: 'As the system' },
  { theme: 'light', label: 'Light' },
  { theme: 'dark', label: 'Dark' },
];

const separator: Item = { type: 'separator' };

/**
 * @param name of the app, for the macOS app menu
 * @param remote the machine whose engine the window shows; null: this one
 */
export function menuTemplate(
  platform: NodeJS.Platform,
  name: string,
  choices: Pick<ShellChoices, 'theme' | 'notifications'>,
  content: Omit<MenuContent, 'theme'>,
  remote: string | null,
  actions: MenuActions,
): Item[] {
  const mac = platform === 'darwin';
  const quit: Item = {
    id: 'quit',
    label: platform === 'win32' ? 'Exit' : mac ? `Quit ${name}` : 'Quit',
    accelerator: platform === 'win32' ? 'Alt+F4' : 'CmdOrCtrl+Q',
    click: actions.quit,
  };
  const updates: Item = { id: 'updates', label: 'Check for updates…', click: actions.checkForUpdates };
  const settings = settingsItems(content, actions);
  const back: Item = { id: 'leaveRemote', label: 'Back to this machine', click: actions.leaveRemote };
  const leave = remote === null ? [] : [separator, back];
  const last: Item[] = mac ? [...leave, separator, { role: 'close' }] : [...leave, ...settings, separator, quit];
  return [
    ...(mac ? [appMenu(name, [updates, ...settings], quit)] : []),
    fileMenu(content, last, actions),
    editMenu(actions),
    viewMenu(choices, content, actions),
    ...(mac ? [{ role: 'windowMenu' } as const] : []),
    helpMenu(mac ? [] : [updates], mac, remote, actions),
  ];
}

function settingsItems({ settings }: Pick<MenuContent, 'settings'>, actions: MenuActions): Item[] {
  if (settings === null) return [];
  const { path } = settings;
  const click = (): void => actions.send({ type: 'go', path });
  return [separator, { id: 'settings', label: 'Settings…', accelerator: 'CmdOrCtrl+,', click }];
}

function appMenu(name: string, own: Item[], quit: Item): Item {
  return {
    label: name,
    submenu: [
      { role: 'about' },
      ...own,
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

function fileMenu(content: Omit<MenuContent, 'theme'>, last: Item[], actions: MenuActions): Item {
  const go = (id: string, label: string, accelerator: string, path: string): Item => ({
    ...{ id, label, accelerator },
    click: () => actions.send({ type: 'go', path }),
  });
  return {
    id: 'file',
    label: '&File',
    submenu: [
      go('newStudy', 'New study', 'CmdOrCtrl+N', '/studies/new'),
      go('newAblation', 'New ablation', 'CmdOrCtrl+Shift+N', '/ablations/new'),
      separator,
      // Systems other than macOS cannot offer files and folders in one dialog.
      { id: 'openFolder', label: 'Open folder…', accelerator: 'CmdOrCtrl+O', click: actions.openFolder },
      { id: 'openFiles', label: 'Open files…', accelerator: 'CmdOrCtrl+Shift+O', click: actions.openFiles },
      { id: 'recents', label: 'Open recent', submenu: recentItems(content, actions) },
      separator,
      { id: 'run', label: 'Run', accelerator: 'CmdOrCtrl+Enter', click: () => actions.send({ type: 'run' }) },
      ...last,
    ],
  };
}

/** Numbered, and the number is the letter that chooses it; an `&` in a name is not. */
function recentItems({ recents }: Pick<MenuContent, 'recents'>, actions: MenuActions): Item[] {
  if (recents.length === 0) return [{ id: 'noRecents', label: 'Nothing opened yet', enabled: false }];
  return recents.map(({ label, path }, index) => ({
    id: `recent-${index + 1}`,
    label: `&${index + 1} ${label.replace(/&/g, '&&')}`,
    click: () => actions.send({ type: 'go', path }),
  }));
}

function editMenu(actions: MenuActions): Item {
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
      { id: 'find', label: 'Find', accelerator: 'CmdOrCtrl+F', click: () => actions.send({ type: 'find' }) },
      { id: 'palette', label: 'Go to…', accelerator: 'CmdOrCtrl+K', click: () => actions.send({ type: 'palette' }) },
    ],
  };
}

/** Digits reach nine pages. */
const numberedPages = 9;

function viewMenu(
  choices: Pick<ShellChoices, 'theme' | 'notifications'>,
  { pages }: Pick<MenuContent, 'pages'>,
  actions: MenuActions,
): Item {
  return {
    id: 'view',
    label: '&View',
    submenu: [
      ...pages.map(({ label, path }, index): Item => ({
        id: `page-${path}`,
        label,
        ...(index < numberedPages ? { accelerator: `CmdOrCtrl+${index + 1}` } : {}),
        click: () => actions.send({ type: 'go', path }),
      })),
      separator,
      {
        id: 'theme',
        label: 'Theme',
        submenu: themes.map((choice): Item => ({
          id: `theme-${choice.theme}`,
          label: choice.label,
          type: 'radio',
          checked: choice.theme === choices.theme,
          click: () => actions.setTheme(choice.theme),
        })),
      },
      {
        id: 'notifications',
        label: 'Notify when a long job ends',
        type: 'checkbox',
        checked: choices.notifications,
        click: () => actions.setNotifications(!choices.notifications),
      },
      separator,
      { id: 'zoomReset', label: 'Actual size', accelerator: 'CmdOrCtrl+0', click: () => actions.zoom('reset') },
      { id: 'zoomIn', label: 'Zoom in', accelerator: 'CmdOrCtrl+Plus', click: () => actions.zoom('in') },
      { id: 'zoomOut', label: 'Zoom out', accelerator: 'CmdOrCtrl+-', click: () => actions.zoom('out') },
      { role: 'togglefullscreen' },
      separator,
      { role: 'reload' },
      { role: 'toggleDevTools' },
    ],
  };
}

function helpMenu(own: Item[], mac: boolean, remote: string | null, actions: MenuActions): Item {
  return {
    id: 'help',
    role: 'help',
    label: '&Help',
    submenu: [
      { id: 'guide', label: 'Guide', accelerator: 'F1', click: () => actions.send({ type: 'guide' }) },
      { id: 'documentation', label: 'Read me', click: actions.openDocumentation },
      { id: 'shortcuts', label: 'Keyboard shortcuts', click: () => actions.send({ type: 'shortcuts' }) },
      ...own,
      separator,
      // That of another machine is not here to be shown.
      { id: 'showDataFolder', label: 'Show data folder', click: actions.showDataFolder, enabled: remote === null },
      { id: 'copyDiagnostics', label: 'Copy diagnostics', click: actions.copyDiagnostics },
      ...(mac ? [] : [separator, { role: 'about' } as const]),
    ],
  };
}
