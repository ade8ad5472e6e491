/** The pages of the left rail, in its order; the digit goes there with Ctrl/Cmd. */
import type { IconName } from './AppIcon.vue';

export interface Page {
  path: string;
  label: string;
  icon: IconName;
  digit: number;
}

const listed: Omit<Page, 'digit'>[] = [
  { path: '/', label: 'Home', icon: 'home' },
  { path: '/studies', label: 'Studies', icon: 'studies' },
  { path: '/runs', label: 'Runs', icon: 'runs' },
  { path: '/checkpoints', label: 'Checkpoints', icon: 'checkpoints' },
  { path: '/spectrum', label: 'Spectrum', icon: 'spectrum' },
  { path: '/ablations', label: 'Ablations', icon: 'ablations' },
  { path: '/figures', label: 'Figures', icon: 'figures' },
  { path: '/jobs', label: 'Jobs', icon: 'jobs' },
];
export const pages: Page[] = listed.map((page, index) => ({ ...page, digit: index + 1 }));
