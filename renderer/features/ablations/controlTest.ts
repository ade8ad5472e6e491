/**
 * An edit against its own random controls (definitions of the lab): p = (1 + #{|change of control| >= |change of edit|}) /
 * (1 + replicates), on the change of accuracy from the target. A replicate is one whole edited model; kinds are tested
 * apart and replicates are never pooled.
 */
import type { RandomControl, SweepPointResult } from '../../../main/contract/sweeps.ts';
import { accuracy, type Split } from '../study/charts/seedView.ts';

export interface ControlTest {
  p: number;
  replicates: number;
  /** The least p that this many replicates can give. */
  leastP: number;
  /** At 5 %. */
  isBeyond: boolean;
}

const significance = 0.05;
/** A hair of slack, so that equal counts of episodes stay equal after subtraction. */
const slack = 1e-12;

/** Null where something was not evaluated, or there is no control. */
export function controlTest(
  point: SweepPointResult,
  controls: readonly SweepPointResult[],
  target: SweepPointResult | null,
  split: Split,
): ControlTest | null {
  const before = target?.evaluation?.[split];
  const after = point.evaluation?.[split];
  if (before === undefined || after === undefined || controls.length === 0) return null;
  const changeOf = (share: number): number => Math.abs(share - accuracy(before));
  const own = changeOf(accuracy(after));
  const evaluated = controls.flatMap(({ evaluation }) => (evaluation === null ? [] : [accuracy(evaluation[split])]));
  if (evaluated.length === 0) return null;
  const asLarge = evaluated.filter((share) => changeOf(share) >= own - slack).length;
  const p = (1 + asLarge) / (1 + evaluated.length);
  return { p, replicates: evaluated.length, leastP: 1 / (1 + evaluated.length), isBeyond: p <= significance };
}

/** "not distinguishable from its controls (p = 0.25; with 3 p cannot go below 0.25)". */
export function testWords({ p, replicates, leastP, isBeyond }: ControlTest): string {
  const says = isBeyond ? 'beyond its controls' : 'not distinguishable from its controls';
  const limit = leastP > significance ? `; with ${replicates} p cannot go below ${leastP.toFixed(2)}` : '';
  return `${says} (p = ${p.toFixed(2)}${limit})`;
}

/** "OOD against 3 scrambled controls: not distinguishable ...". */
export const controlWords = (test: ControlTest, kind: RandomControl, split: string): string =>
  `${split} against ${test.replicates} ${kind} controls: ${testWords(test)}`;
