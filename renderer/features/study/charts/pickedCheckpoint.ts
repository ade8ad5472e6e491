/** What a mark of a figure opens: the answers of a checkpoint, on a split. Its key is "0:rl-ppoPlain-200:10:ood". */
import type { RlArm } from '../../../../main/contract/settings.ts';
import type { Split } from './seedView.ts';

export interface PickedCheckpoint {
  seed: number;
  /** Name of the stage within its seed, as the engine has it: "sft", "rl-ppoPlain-200". */
  run: string;
  /** SFT step or RL iteration. */
  step: number;
  split: Split;
}

export const rlRun = (arm: RlArm, startStep: number): string => `rl-${arm}-${startStep}`;

export const pickKey = ({ seed, run, step, split }: PickedCheckpoint): string => [seed, run, step, split].join(':');

export function pickedCheckpoint(key: string): PickedCheckpoint {
  const [seed, run = '', step, split] = key.split(':');
  return { seed: Number(seed), run, step: Number(step), split: split === 'ood' ? 'ood' : 'inDist' };
}

/** Id of its stage among those of the study: the peak is a start of its own, unless its step is one too. */
export function stageOf({ seed, run }: PickedCheckpoint, stageIds: readonly string[]): string {
  const id = `seed-${seed}.${run}`;
  return stageIds.includes(id) ? id : id.replace(/-\d+$/, '-peak');
}

/** Points of the thin curves of single seeds, where they can be opened. */
export const openPoints = { symbol: 'circle', extra: { symbolSize: 4 } } as const;
