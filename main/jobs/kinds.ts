/** Every job kind and where its work is written. To add one: its name in the contract, a file in `kinds/`, a line here. */
import type { KindTable } from './jobContext.ts';

export const kinds: KindTable = {
  pretrain: { load: () => import('./kinds/pretrain.ts'), computes: true },
  sft: { load: () => import('./kinds/sft.ts'), computes: true },
  rl: { load: () => import('./kinds/rl.ts'), computes: true },
  decompose: { load: () => import('./kinds/decompose.ts'), computes: false },
  ablate: { load: () => import('./kinds/ablate.ts'), computes: true },
  analyse: { load: () => import('./kinds/analyse.ts'), computes: false },
  selfTest: { load: () => import('./kinds/selfTest.ts'), computes: true },
  hashCheckpoints: { load: () => import('./kinds/hashCheckpoints.ts'), computes: false },
  copyCheckpoint: { load: () => import('./kinds/copyCheckpoint.ts'), computes: false },
  diffCheckpoints: { load: () => import('./kinds/diffCheckpoints.ts'), computes: false },
  compare: { load: () => import('./kinds/compare.ts'), computes: false },
  sweep: { load: () => import('./kinds/sweep.ts'), computes: true },
  hiddenStates: { load: () => import('./kinds/hiddenStates.ts'), computes: true },
  backup: { load: () => import('./kinds/backup.ts'), computes: false },
  restore: { load: () => import('./kinds/restore.ts'), computes: false },
  moveData: { load: () => import('./kinds/moveData.ts'), computes: false },
  exportPoint: { load: () => import('./kinds/exportPoint.ts'), computes: false },
};
