import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  firstState,
  minimumSize,
  onDisplays,
  readWindowState,
  writeWindowState,
} from '../../../electron/windowState.ts';

const file = join(mkdtempSync(join(tmpdir(), 'rotascope-window-')), 'window.json');

test('is read as it was written', () => {
  const state = { bounds: { x: -1200, y: 40, width: 1000, height: 700 }, maximized: true, theme: 'dark' as const };
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
