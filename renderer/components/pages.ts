/** The pages of the left rail, in its order; the digit goes there with Ctrl/Cmd. */
import type { IconName } from './AppIcon.vue';

export interface Page {
  path: string;
  label: string;
  icon: IconName;
  digit: number;
}

export const pages: Page[] = [
  { path: '/', label: 'Home', icon: 'home', digit: 1 },
  { path: '/studies', label: 'Studies', icon: 'studies', digit: 2 },
  { path: '/jobs', label: 'Jobs', icon: 'jobs', digit: 3 },
  { path: '/checkpoints', label: 'Checkpoints', icon: 'checkpoints', digit: 4 },
];
