import { describe, expect, it } from 'vitest';
import { pages } from '../../../../renderer/components/pages.ts';
import { handleShortcut } from '../../../../renderer/components/shortcuts.ts';

function press(key: string, modifiers: Partial<KeyboardEvent> = {}, has = true): string[] {
  const done: string[] = [];
  const maybe = (what: string) => (): boolean => {
    if (has) done.push(what);
    return has;
  };
  const event = { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, target: null, ...modifiers };
  const taken = handleShortcut(event as KeyboardEvent, {
    palette: () => done.push('palette'),
    shortcuts: () => done.push('shortcuts'),
    guide: () => done.push('guide'),
    go: (path) => done.push(path),
    ...{ find: maybe('find'), run: maybe('run'), settings: maybe('settings') },
  });
  expect(taken).toBe(done.length > 0);
  return done;
}

describe('shortcuts', () => {
  it.each(pages.map(({ path }, index) => [String(index + 1), path]))('Ctrl+%s goes to %s', (key, path) => {
    expect(press(key, { ctrlKey: true })).toEqual([path]);
    expect(press(key, { metaKey: true })).toEqual([path]);
    expect(press(key)).toEqual([]);
  });
  it.each([
    ['f', 'find'],
    ['Enter', 'run'],
    [',', 'settings'],
  ])('Ctrl+%s: %s, and is left to the browser where the page has none', (key, what) => {
    expect(press(key, { ctrlKey: true })).toEqual([what]);
    expect(press(key, { metaKey: true }, false)).toEqual([]);
    expect(press(key)).toEqual([]);
  });
  it('opens the palette and the list of keys, and leaves other keys alone', () => {
    expect(press('k', { ctrlKey: true })).toEqual(['palette']);
    expect(press('?', { shiftKey: true })).toEqual(['shortcuts']);
    expect(press('F1')).toEqual(['guide']);
    expect(press('k')).toEqual([]);
    expect(press('9', { ctrlKey: true })).toEqual([]);
  });
});
