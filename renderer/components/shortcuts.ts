/** Keys that work on every page. */
import { onBeforeUnmount, onMounted } from 'vue';
import { pages } from './pages.ts';

export interface ShortcutActions {
  palette(): void;
  shortcuts(): void;
  guide(): void;
  go(path: string): void;
  /** @returns false when the page has nothing to filter: the browser's own search is then left to the user. */
  find(): boolean;
  /** @returns false when the page prepares nothing */
  run(): boolean;
  /** @returns false without a page of settings */
  settings(): boolean;
}

const isTyping = (target: EventTarget | null): boolean =>
  typeof HTMLElement !== 'undefined' &&
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** @returns true when the key was one of ours. */
export function handleShortcut(event: KeyboardEvent, actions: ShortcutActions): boolean {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  const key = event.key.toLowerCase();
  if (command && key === 'k') {
    actions.palette();
    return true;
  }
  if (event.key === 'F1') {
    actions.guide();
    return true;
  }
  if (command && key === 'f') return actions.find();
  if (command && key === 'enter') return actions.run();
  if (command && key === ',') return actions.settings();
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

/** Where keys act: the dialog that is open, else the page. */
const foreground = (): ParentNode =>
  document.querySelector('[role=dialog]') ?? document.querySelector('main') ?? document.body;

/** The field that filters what is listed. */
export function focusFilter(): boolean {
  const field = foreground().querySelector<HTMLInputElement>('input[type=search]');
  field?.focus();
  field?.select();
  return field !== null;
}

/** Presses the one button that starts something; several, or none, leave the choice to the user. */
export function pressPrimary(): boolean {
  const buttons = foreground().querySelectorAll<HTMLButtonElement>('button.primary:not(:disabled)');
  if (buttons.length !== 1) return false;
  buttons[0]!.click();
  return true;
}
