import { describe, expect, it } from 'vitest';
import { pages } from '../../../../renderer/components/pages.ts';
import { handleShortcut } from '../../../../renderer/components/shortcuts.ts';

function press(key: string, modifiers: Partial<KeyboardEvent> = {}): string[] {
  const done: string[] = [];
  const event = { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, target: null, ...modifiers };
  handleShortcut(event as KeyboardEvent, {
    palette: () => done.push('palette'),
    shortcuts: () => done.push('shortcuts'),
    guide: () => done.push('guide'),
    go: (path) => done.push(path),
  });
  return done;
}

describe('shortcuts', () => {
  it.each(pages.map(({ path }, index) => [String(index + 1), path]))('Ctrl+%s goes to %s', (key, path) => {
    expect(press(key, { ctrlKey: true })).toEqual([path]);
    expect(press(key, { metaKey: true })).toEqual([path]);
    expect(press(key)).toEqual([]);
  });
  it('opens the palette and the list of keys, and leaves other keys alone', () => {
    expect(press('k', { ctrlKey: true })).toEqual(['palette']);
    expect(press('?', { shiftKey: true })).toEqual(['shortcuts']);
    expect(press('F1')).toEqual(['guide']);
    expect(press('k')).toEqual([]);
    expect(press('8', { ctrlKey: true })).toEqual([]);
  });
});
