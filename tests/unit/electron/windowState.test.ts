import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  firstState,
  minimumSize,
  onDisplays,
  readWindowState,
  withoutRemote,
  withRemote,
  writeWindowState,
} from '../../../electron/windowState.ts';

const file = join(mkdtempSync(join(tmpdir(), 'rotascope-window-')), 'window.json');

test('is read as it was written', () => {
  const bounds = { x: -1200, y: 40, width: 1000, height: 700 };
  const state = {
    bounds,
    maximized: true,
    zoom: -1.5,
    theme: 'dark' as const,
    notifications: false,
    remotes: [{ host: 'me@gpu', command: 'rotascope' }],
  };
  writeWindowState(file, state);
  expect(readWindowState(file)).toEqual(state);
});

test.each([
  ['no JSON', '{"bounds":'],
  ['another shape', '[]'],
  ['numbers that are none', '{"bounds":{"x":"0","y":null,"width":1e999,"height":5}}'],
  ['null', 'null'],
])('%s is as at the first start', (_name, text) => {
  writeFileSync(file, text);
  expect(readWindowState(file)).toEqual(firstState);
});

test('a window smaller than the smallest opens as the smallest', () => {
  writeFileSync(file, '{"bounds":{"x":1,"y":2,"width":3,"height":4}}');
  expect(readWindowState(file).bounds).toEqual({ x: 1, y: 2, ...minimumSize });
});

test('a zoom that no page is laid out for is brought back', () => {
  for (const [written, read] of [
    [40, 5],
    [-9, -3],
    ['"2"', 0],
    [1.2, 1.2],
  ]) {
    writeFileSync(file, `{"zoom":${written}}`);
    expect(readWindowState(file).zoom).toBe(read);
  }
});

test('a folder that cannot be written loses the place and nothing else', () => {
  expect(() => writeWindowState('/nowhere/window.json', firstState)).not.toThrow();
});

test('a window on a display that is gone is placed anew', () => {
  const left = { x: 0, y: 0, width: 1920, height: 1080 };
  const right = { x: 1920, y: 0, width: 1920, height: 1080 };
  const bounds = { x: 2000, y: 10, width: 800, height: 600 };
  expect(onDisplays(bounds, [left, right])).toEqual(bounds);
  expect(onDisplays(bounds, [left])).toBeUndefined();
  expect(onDisplays({ ...bounds, x: 1850 }, [left])).toBeUndefined();
  expect(onDisplays({ ...bounds, y: -200 }, [left, right])).toBeUndefined();
  expect(onDisplays(undefined, [left])).toBeUndefined();
});

test('a window that was larger than the display that is left fits it', () => {
  const small = { x: 0, y: 0, width: 1280, height: 720 };
  const tall = { x: 1280, y: 0, width: 1080, height: 1920 };
  const bounds = { x: 10, y: 20, width: 2200, height: 1800 };
  expect(onDisplays(bounds, [small])).toEqual({ x: 10, y: 20, width: 1280, height: 720 });
  expect(onDisplays(bounds, [small, tall])).toEqual(bounds);
});

test('machines are remembered with the last one first, each once; what ssh must not be given is forgotten', () => {
  const target = (host: string): { host: string; command: string } => ({ host, command: 'rotascope' });
  const after = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g'].reduce<ReturnType<typeof withRemote>>(
    (remotes, host) => withRemote(remotes, target(host)),
    [],
  );
  expect(after.map(({ host }) => host)).toEqual(['g', 'f', 'e', 'd', 'c', 'a']);
  expect(withoutRemote(after, 'e').map(({ host }) => host)).toEqual(['g', 'f', 'd', 'c', 'a']);
  const hostile = [
    target('-oProxyCommand=x'),
    { host: 'gpu', command: 'rotascope; rm -r x' },
    { host: 'gpu', command: '$(x)' },
  ];
  writeFileSync(file, JSON.stringify({ ...firstState, remotes: [...hostile, target('ssh://me@gpu:2222'), 7, null] }));
  expect(readWindowState(file).remotes).toEqual([target('ssh://me@gpu:2222')]);
});
