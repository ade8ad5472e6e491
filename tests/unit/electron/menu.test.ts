import type { MenuItemConstructorOptions } from 'electron';
import { expect, test } from 'vitest';
import type { MenuCommand } from '../../../main/contract/desktop.ts';
import { menuTemplate } from '../../../electron/menu.ts';
import { pages } from '../../../renderer/components/pages.ts';

function menuOf(platform: NodeJS.Platform) {
  const sent: (MenuCommand | string)[] = [];
  const template = menuTemplate(platform, 'Rotascope', 'dark', {
    send: (command) => sent.push(command),
    openFolder: () => sent.push('openFolder'),
    openFiles: () => sent.push('openFiles'),
    setTheme: (theme) => sent.push(theme),
    copyDiagnostics: () => sent.push('copyDiagnostics'),
    showDataFolder: () => sent.push('showDataFolder'),
    openDocumentation: () => sent.push('openDocumentation'),
    quit: () => sent.push('quit'),
  });
  const flatten = (items: MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
    items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? flatten(item.submenu) : [])]);
  const items = flatten(template);
  const click = (id: string): void => {
    const item = items.find((candidate) => candidate.id === id);
    (item?.click as () => void)();
  };
  return { template, items, sent, click };
}

test.each(['linux', 'win32', 'darwin'] as const)(
  '%s: every key is used once, every own item has a click',
  (platform) => {
    const { items } = menuOf(platform);
    const keys = items.flatMap((item) => item.accelerator ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    for (const item of items) {
      if (item.role || item.submenu || item.type === 'separator') continue;
      expect(item.click, item.label).toBeTypeOf('function');
      expect(item.id, item.label).toBeTruthy();
    }
  },
);

test("quit stands where the system's conventions have them", () => {
  const labels = (platform: NodeJS.Platform, menu: number) =>
    (menuOf(platform).template[menu]?.submenu as MenuItemConstructorOptions[]).map((item) => item.label ?? item.role);
  expect(labels('linux', 0)).toEqual(expect.arrayContaining(['New study', 'Quit']));
  expect(labels('win32', 0)).toEqual(expect.arrayContaining(['New study', 'Exit']));
  expect(labels('darwin', 0)).toEqual(expect.arrayContaining(['Quit Rotascope', 'hide']));
  expect(labels('darwin', 1)).not.toContain('Quit');
});

test('items do what they say', () => {
  const { click, sent, items } = menuOf('linux');
  for (const id of ['openFolder', 'newStudy', 'jobs', 'palette', 'theme-light', 'quit']) click(id);
  expect(sent).toEqual([
    'openFolder',
    { type: 'newStudy' },
    { type: 'go', page: 'jobs' },
    { type: 'palette' },
    'light',
    'quit',
  ]);
  expect(items.find((item) => item.id === 'theme-dark')?.checked).toBe(true);
});

test('the pages are those of the rail, with its keys', () => {
  const { items } = menuOf('linux');
  const keys = items.filter(({ accelerator }) => /^CmdOrCtrl\+\d$/.test(String(accelerator)));
  expect(keys.map(({ label, accelerator }) => [label, accelerator])).toEqual(
    pages.map(({ label, digit }) => [label, `CmdOrCtrl+${digit}`]),
  );
});
