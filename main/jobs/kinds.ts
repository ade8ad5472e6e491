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
  importCheckpoints: { load: () => Promise.reject(new Error('Checkpoints are imported by a call.')), computes: false },
};
