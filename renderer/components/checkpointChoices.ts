/** The catalogue as the list of a picker: grouped by where a checkpoint comes from, in step order, filtered by words. */
import type { Checkpoint } from '../../main/contract/api.ts';

export interface ChoiceGroup {
  label: string;
  list: Checkpoint[];
}

/** "Sample study, seed 0", the trajectory, or "Imported". */
export function groupOf(checkpoint: Checkpoint, studyNames: ReadonlyMap<string, string>): string {
  const { studyId, seed, trajectory } = checkpoint;
  if (studyId !== null)
    return `${studyNames.get(studyId) ?? 'A removed study'}${seed === null ? '' : `, seed ${seed}`}`;
  return trajectory ?? 'Imported';
}

/**
 * @param query words that all have to occur in name, group, step or folder; names that begin with it come first
 * @param limit checkpoints in the answer, over all groups
 */
export function checkpointChoices(
  checkpoints: readonly Checkpoint[],
  studyNames: ReadonlyMap<string, string>,
  query: string,
  limit: number,
): { groups: ChoiceGroup[]; left: number } {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = checkpoints
    .map((checkpoint) => ({ checkpoint, group: groupOf(checkpoint, studyNames) }))
    .filter(({ checkpoint, group }) => {
      const { name, step, folder, architecture } = checkpoint;
      const text = `${name} ${group} ${step === null ? '' : `step ${step}`} ${folder} ${architecture}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  // What begins as it was typed comes first: "base" is the base before a run that is anchored to it.
  const start = query.trim().toLowerCase();
  const isTyped = ({ name }: Checkpoint): boolean => start !== '' && name.toLowerCase().startsWith(start);
  const byStep = (a: Checkpoint, b: Checkpoint): number =>
    Number(isTyped(b)) - Number(isTyped(a)) ||
    (a.step ?? Infinity) - (b.step ?? Infinity) ||
    a.name.localeCompare(b.name);
  const byLabel = new Map<string, Checkpoint[]>();
  found.sort((a, b) => Number(isTyped(b.checkpoint)) - Number(isTyped(a.checkpoint)));
  for (const { checkpoint, group } of found) byLabel.set(group, [...(byLabel.get(group) ?? []), checkpoint]);
  let room = limit;
  const groups: ChoiceGroup[] = [];
  for (const [label, list] of byLabel) {
    if (room <= 0) break;
    groups.push({ label, list: list.sort(byStep).slice(0, room) });
    room -= list.length;
  }
  return { groups, left: Math.max(0, found.length - limit) };
}
