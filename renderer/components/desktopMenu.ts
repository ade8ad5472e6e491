/** What the desktop shell's menus ask of the page, and what the page tells them; nothing in a browser. */
import { onMounted, watch } from 'vue';
import type { MenuCommand, MenuContent } from '../../main/contract/desktop.ts';
import type { ThemeChoice } from '../stores/ui.ts';
import { useToasts } from '../stores/toasts.ts';

export interface DesktopActions {
  palette(): void;
  shortcuts(): void;
  guide(): void;
  find(): void;
  run(): void;
  go(path: string): void;
  look(paths: string[]): void;
  theme(theme: ThemeChoice): void;
}

export function runMenuCommand(command: MenuCommand, actions: DesktopActions): void {
  switch (command.type) {
    case 'open':
      return actions.look(command.paths);
    case 'go':
      return actions.go(command.path);
    case 'theme':
      return actions.theme(command.theme);
    case 'palette':
    case 'shortcuts':
    case 'guide':
    case 'find':
    case 'run':
      return actions[command.type]();
  }
}

/** @param content null until the page knows what was chosen */
export function connectDesktopMenu(actions: DesktopActions, content: () => MenuContent | null): void {
  const desktop = window.rotascope;
  if (desktop === undefined) return;
  const { reportOfPage } = useToasts();
  onMounted(() => desktop.onMenu((command) => runMenuCommand(command, actions)));
  // A plain copy: what crosses to the shell may not be reactive.
  watch(
    () => JSON.stringify(content()),
    (json) => {
      const known = JSON.parse(json) as MenuContent | null;
      if (known !== null) void desktop.fillMenu(known).catch(reportOfPage);
    },
    { immediate: true },
  );
}
