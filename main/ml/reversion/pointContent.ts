/**
 * What the numbers of a point depend on, as a hash: the stored bytes of the edited tensors and of the whole target, the edit
 * as it really comes out (ranks within each matrix, the copy that `paperCompatible` makes), and the episodes. Options that
 * change nothing at a point are no part of it, so that a sweep with another option computes only what that changes.
 */
import { createHash } from 'node:crypto';
import { countedTask, isTextTask } from '../../contract/settings.ts';
import type { SweepPoint, SweepSettings } from '../../contract/sweeps.ts';
import { matrixEditOf, weightsOf } from './editPoint.ts';
import { selectRanks } from './selectRanks.ts';
import type { EditedWeight } from './sweepShape.ts';

/** Raised when the same point gives other numbers than before: older results then no longer count. */
const pointVersion = 1;

export interface PairContent {
  /** `contentHash` of the whole checkpoints. */
  target: string;
  reference: string;
  /** `companionDigest` of the target, whose tokenizer all models of the pair are spoken to with; for tasks in text. */
  companions: string;
  weights: readonly (EditedWeight & { targetHash: string; referenceHash: string })[];
}

/** @param evaluated false where the model cannot be evaluated: then the episodes do not count */
export function pointContent(
  point: SweepPoint,
  settings: SweepSettings,
  pair: PairContent,
  evaluated: boolean,
): string {
  const task = evaluated ? countedTask(settings.task) : null;
  const spoken = evaluated && isTextTask(settings.task.name) ? { companions: pair.companions } : {};
  const facts = { version: pointVersion, edit: editContent(point, settings, pair), task, ...spoken };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

function editContent(point: SweepPoint, settings: SweepSettings, pair: PairContent): unknown {
  if (point.edit === 'none') return { weights: point.own === 'reference' ? pair.reference : pair.target };
  if (point.edit === 'interpolation') return { from: pair.target, to: pair.reference, alpha: point.alpha };
  const edit = matrixEditOf(point, settings);
  const { revert, control } = edit;
  const usesVectors = revert === 'singularVectors' || control?.control === 'dose';
  const matrices = weightsOf(point, pair.weights).map((weight) => {
    const { name, targetHash, referenceHash, rank } = weight as PairContent['weights'][number];
    const selected = selectRanks(rank, edit.ranks);
    const whole = selected.length === rank;
    const copied = usesVectors && whole && edit.paperCompatible === true;
    return [name, targetHash, referenceHash, whole ? 'all' : runsOf(selected), copied];
  });
  const pairing = usesVectors ? edit.pairing : 'index';
  return { target: pair.target, matrices, revert, control, pairing, precision: settings.precision };
}

/** [0, 1, 2, 7] -> "0-2,7-7". */
function runsOf(indices: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const index of indices) {
    const last = runs.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs.map(([from, to]) => `${from}-${to}`).join();
}
