/** Keys that work on every page. */
import { onBeforeUnmount, onMounted } from 'vue';
import { pages } from './pages.ts';

export interface ShortcutActions {
  palette(): void;
  shortcuts(): void;
  guide(): void;
  go(path: string): void;
}

const isTyping = (target: EventTarget | null): boolean =>
  typeof HTMLElement !== 'undefined' &&
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** @returns true when the key was one of ours. */
export function handleShortcut(event: KeyboardEvent, actions: ShortcutActions): boolean {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (command && event.key.toLowerCase() === 'k') {
    actions.palette();
    return true;
  }
  if (event.key === 'F1') {
    actions.guide();
    return true;
  }
  const page = command ? pages.find(({ digit }) => event.key === String(digit)) : undefined;
  if (page !== undefined) {
    actions.go(page.path);
    return true;
  }
  if (event.key === '?' && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)) {
    actions.shortcuts();
    return true;
  }
  return false;
}

export function listenForShortcuts(actions: ShortcutActions): void {
  const onKey = (event: KeyboardEvent): void => {
    if (!event.defaultPrevented && handleShortcut(event, actions)) event.preventDefault();
  };
  onMounted(() => window.addEventListener('keydown', onKey));
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey));
}
