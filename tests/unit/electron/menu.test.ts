import type { MenuItemConstructorOptions } from 'electron';
import { expect, test } from 'vitest';
import type { MenuCommand, MenuContent } from '../../../main/contract/desktop.ts';
import { menuContentSchema } from '../../../main/contract/desktop.ts';
import { emptyContent, menuTemplate } from '../../../electron/menu.ts';
import { pages } from '../../../renderer/components/pages.ts';

const content: MenuContent = {
  pages: pages.map(({ label, path }) => ({ label, path })),
  recents: [
    { label: 'SFT & RL', path: '/studies/a' },
    { label: 'tiny-llama', path: '/checkpoints/b' },
  ],
  settings: { label: 'Settings', path: '/settings' },
  theme: 'dark',
};

function menuOf(platform: NodeJS.Platform, shown: Omit<MenuContent, 'theme'> = content, remote: string | null = null) {
  const sent: unknown[] = [];
  const send = (command: MenuCommand): unknown => sent.push(command);
  const template = menuTemplate(platform, 'Rotascope', { theme: 'dark', notifications: true }, shown, remote, {
    send,
    openFolder: () => sent.push('openFolder'),
    openFiles: () => sent.push('openFiles'),
    setTheme: (theme) => sent.push(theme),
    setNotifications: (on) => sent.push(on),
    zoom: (to) => sent.push(to),
    checkForUpdates: () => sent.push('checkForUpdates'),
    copyDiagnostics: () => sent.push('copyDiagnostics'),
    showDataFolder: () => sent.push('showDataFolder'),
    openDocumentation: () => sent.push('openDocumentation'),
    leaveRemote: () => sent.push('leaveRemote'),
    quit: () => sent.push('quit'),
  });
  const flatten = (items: MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
    items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? flatten(item.submenu) : [])]);
  const items = flatten(template);
  const item = (id: string): MenuItemConstructorOptions => {
    const found = items.find((candidate) => candidate.id === id);
    if (!found) throw new Error(`There is no item ${id}.`);
    return found;
  };
  const click = (id: string): void => (item(id).click as () => void)();
  return { template, items, item, sent, click };
}

test.each(['linux', 'win32', 'darwin'] as const)(
  '%s: every key and every id is used once, every own item has a click',
  (platform) => {
    const { items } = menuOf(platform);
    for (const name of ['accelerator', 'id'] as const) {
      const values = items.flatMap((item) => item[name] ?? []);
      expect(new Set(values).size).toBe(values.length);
    }
    for (const item of items) {
      if (item.role || item.submenu || item.type === 'separator') continue;
      expect(item.click, item.label).toBeTypeOf('function');
      expect(item.id, item.label).toBeTruthy();
    }
  },
);

test("quit, settings and updates stand where the system's conventions have them", () => {
  const labels = (platform: NodeJS.Platform, menu: number) =>
    (menuOf(platform).template[menu]?.submenu as MenuItemConstructorOptions[]).map((item) => item.label ?? item.role);
  expect(labels('linux', 0)).toEqual(expect.arrayContaining(['New study', 'Settings…', 'Quit']));
  expect(labels('win32', 0)).toEqual(expect.arrayContaining(['New study', 'Settings…', 'Exit']));
  expect(labels('darwin', 0)).toEqual(
    expect.arrayContaining(['Check for updates…', 'Settings…', 'Quit Rotascope', 'hide']),
  );
  expect(labels('darwin', 1)).not.toContain('Quit');
  expect(labels('darwin', 1)).toContain('close');
  expect(menuOf('darwin').template.map((menu) => menu.role ?? menu.label)).toContain('windowMenu');
  expect(labels('linux', 3)).toContain('Check for updates…');
  expect(labels('darwin', 5)).not.toContain('Check for updates…');
});

test('items do what they say', () => {
  const { click, sent, item } = menuOf('linux');
  for (const id of ['openFolder', 'newStudy', 'page-/jobs', 'palette', 'find', 'run', 'theme-light', 'notifications'])
    click(id);
  for (const id of ['settings', 'recent-2', 'zoomIn', 'zoomReset', 'updates', 'quit']) click(id);
  expect(sent).toEqual([
    'openFolder',
    { type: 'go', path: '/studies/new' },
    { type: 'go', path: '/jobs' },
    { type: 'palette' },
    { type: 'find' },
    { type: 'run' },
    'light',
    false,
    { type: 'go', path: '/settings' },
    { type: 'go', path: '/checkpoints/b' },
    'in',
    'reset',
    'checkForUpdates',
    'quit',
  ]);
  expect(item('theme-dark').checked).toBe(true);
  expect(item('notifications').checked).toBe(true);
});

test('the pages are those of the rail, with its keys; a tenth has none', () => {
  const { items } = menuOf('linux');
  const keys = items.filter(({ accelerator }) => /^CmdOrCtrl\+[1-9]$/.test(String(accelerator)));
  expect(keys.map(({ label, accelerator }) => [label, accelerator])).toEqual(
    pages.map(({ label, digit }) => [label, `CmdOrCtrl+${digit}`]),
  );
  const many = Array.from({ length: 10 }, (_, index) => ({ label: `Page ${index}`, path: `/${index}` }));
  const { item } = menuOf('linux', { ...content, pages: many });
  expect(item('page-/8').accelerator).toBe('CmdOrCtrl+9');
  expect(item('page-/9').accelerator).toBeUndefined();
});

test('recent items are numbered, and an ampersand in a name is no key', () => {
  const { item } = menuOf('win32');
  expect([item('recent-1').label, item('recent-2').label]).toEqual(['&1 SFT && RL', '&2 tiny-llama']);
});

test('before the page has told what it has, the menus stand without it', () => {
  const { items, item } = menuOf('linux', emptyContent);
  expect(item('noRecents').enabled).toBe(false);
  expect(items.some(({ id }) => id === 'settings' || id?.startsWith('page-'))).toBe(false);
});

test('what the page tells is bounded, and its paths stay in the lab', () => {
  expect(menuContentSchema.safeParse(content).success).toBe(true);
  for (const path of ['https://example.invalid/', '//example.invalid', 'javascript:1', '']) {
    expect(menuContentSchema.safeParse({ ...content, recents: [{ label: 'x', path }] }).success, path).toBe(false);
  }
  const ten = Array.from({ length: 10 }, () => ({ label: 'x', path: '/x' }));
  expect(menuContentSchema.safeParse({ ...content, recents: ten }).success).toBe(false);
});

test.each(['linux', 'win32', 'darwin'] as const)(
  "%s: from another machine's engine there is a way back",
  (platform) => {
    expect(menuOf(platform).items.some(({ id }) => id === 'leaveRemote')).toBe(false);
    expect(menuOf(platform).item('showDataFolder').enabled).toBe(true);
    const away = menuOf(platform, content, 'me@gpu');
    away.click('leaveRemote');
    expect(away.sent).toEqual(['leaveRemote']);
    expect(away.item('showDataFolder').enabled).toBe(false);
  },
);
