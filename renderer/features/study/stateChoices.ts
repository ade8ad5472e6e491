/** Which checkpoints of one seed hidden states can be asked of: those that the study names, then its other ones by step. */
import type { Checkpoint } from '../../../main/contract/api.ts';
import type { HiddenStates, HiddenStatesOrder } from '../../../main/contract/hiddenStates.ts';
import { studyCheckpoints, type StudyCheckpoint } from '../../../main/contract/studyResult.ts';
import { checkpointLabels } from './charts/reversionRows.ts';

export type StateChoice = HiddenStatesOrder['checkpoints'][number];

export function stateChoices(
  named: Partial<Record<StudyCheckpoint, string | null>>,
  ofSeed: readonly Checkpoint[],
): StateChoice[] {
  const there = new Map(ofSeed.filter(({ missing }) => !missing).map((one) => [one.id, one]));
  const choices = new Map<string, StateChoice>();
  for (const role of studyCheckpoints) {
    const id = named[role];
    // Where the peak is SFT_End, one name is enough.
    if (id != null && there.has(id) && !choices.has(id)) choices.set(id, { id, label: checkpointLabels[role], role });
  }
  const others = [...there.values()].filter(({ id }) => !choices.has(id));
  others.sort((a, b) => (a.trajectory ?? '').localeCompare(b.trajectory ?? '') || (a.step ?? 0) - (b.step ?? 0));
  const sft = there.get(named.end ?? '')?.trajectory ?? null;
  for (const { id, name, step, trajectory } of others) {
    const inSft = sft !== null && trajectory === sft && step !== null;
    choices.set(id, { id, label: inSft ? `step ${step}` : name, role: null });
  }
  return [...choices.values()];
}

/** What has been computed of these checkpoints alone, newest first. */
export const statesOf = (all: readonly HiddenStates[], choices: readonly StateChoice[]): HiddenStates[] => {
  const ids = new Set(choices.map(({ id }) => id));
  return all.filter(({ checkpoints }) => checkpoints.every(({ id }) => ids.has(id)));
};
