/** What the desktop shell's menus ask of the page; nothing in a browser. */
import { onMounted } from 'vue';
import type { DesktopPage, MenuCommand } from '../../main/contract/desktop.ts';
import type { ThemeChoice } from '../stores/ui.ts';

export interface DesktopActions {
  palette(): void;
  go(path: string): void;
  look(paths: string[]): void;
  theme(theme: ThemeChoice): void;
}

const paths: Record<DesktopPage, string> = {
  home: '/',
  studies: '/studies',
  checkpoints: '/checkpoints',
  spectrum: '/spectrum',
  ablations: '/ablations',
  figures: '/figures',
  jobs: '/jobs',
};

export function runMenuCommand(command: MenuCommand, actions: DesktopActions): void {
  switch (command.type) {
    case 'open':
      return actions.look(command.paths);
    case 'newStudy':
      return actions.go('/studies/new');
    case 'go':
      return actions.go(paths[command.page]);
    case 'theme':
      return actions.theme(command.theme);
    case 'palette':
      return actions.palette();
  }
}

export function connectDesktopMenu(actions: DesktopActions): void {
  onMounted(() => window.rotascope?.onMenu((command) => runMenuCommand(command, actions)));
}
