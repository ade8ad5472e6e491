/** The list of checkpoints as rows: groups by training run, steps in order, and what a group offers. Pure. */
import type { Checkpoint } from '../../../main/contract/api.ts';

export interface GroupRow {
  kind: 'group';
  key: string;
  label: string;
  count: number;
  closed: boolean;
  /** "Spectrum along this run"; null for what is no run of at least two checkpoints. */
  spectrum: string | null;
}
export interface CheckpointRow {
  kind: 'checkpoint';
  key: string;
  checkpoint: Checkpoint;
}
export type CatalogueRow = GroupRow | CheckpointRow;

/** As many as a comparison takes. */
const maxTargets = 500;

/** Words of the filter, all of which a checkpoint has to have in its name, run, architecture or folder. */
export function filtered(checkpoints: readonly Checkpoint[], filter: string): Checkpoint[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...checkpoints];
  return checkpoints.filter(({ name, trajectory, architecture, folder }) => {
    const text = `${name} ${trajectory ?? ''} ${architecture} ${folder}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const byStep = (a: Checkpoint, b: Checkpoint): number =>
  (a.step ?? -1) - (b.step ?? -1) || a.importedAtMs - b.importedAtMs;

function labelOf({ studyId, seed, trajectory }: Checkpoint, studyName: (id: string) => string): string {
  if (trajectory !== null) return trajectory;
  if (studyId === null) return 'Imported, of no run';
  return `${studyName(studyId)}${seed === null ? '' : `, seed ${seed}`}`;
}

/** @param checkpoints newest first: groups are in the order of their newest */
export function catalogueRows(
  checkpoints: readonly Checkpoint[],
  studyName: (id: string) => string,
  closed: readonly string[],
): CatalogueRow[] {
  const groups = new Map<string, Checkpoint[]>();
  for (const checkpoint of checkpoints) {
    const key = `${checkpoint.studyId ?? ''}|${labelOf(checkpoint, studyName)}`;
    const list = groups.get(key);
    if (list) list.push(checkpoint);
    else groups.set(key, [checkpoint]);
  }
  return [...groups].flatMap(([key, list]): CatalogueRow[] => {
    list.sort(byStep);
    const isClosed = closed.includes(key);
    const label = labelOf(list[0]!, studyName);
    const spectrum = list[0]!.trajectory === null ? null : runSpectrum(list);
    const head: GroupRow = { kind: 'group', key, label, count: list.length, closed: isClosed, spectrum };
    const rows = list.map((checkpoint): CheckpointRow => ({ kind: 'checkpoint', key: checkpoint.id, checkpoint }));
    return isClosed ? [head] : [head, ...rows];
  });
}

/** Against what most of the run's checkpoints go back to; against the run's first where none says so. */
function runSpectrum(list: readonly Checkpoint[]): string | null {
  const counts = new Map<string, number>();
  for (const { referenceId } of list)
    if (referenceId !== null) counts.set(referenceId, (counts.get(referenceId) ?? 0) + 1);
  const reference = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? list[0]!.id;
  const targets = list.filter(({ id }) => id !== reference).map(({ id }) => id);
  return targets.length === 0 ? null : spectrumLink(reference, evenly(targets));
}

/** The last one and evenly spaced others, where a run has more than a comparison takes. */
function evenly(ids: readonly string[]): string[] {
  if (ids.length <= maxTargets) return [...ids];
  return Array.from({ length: maxTargets }, (_, i) => ids[Math.floor(((i + 1) * ids.length) / maxTargets) - 1]!);
}

export const spectrumLink = (referenceId: string, targetIds: readonly string[]): string =>
  `/spectrum?reference=${referenceId}&targets=${targetIds.join(',')}`;
export const ablationLink = (referenceId: string, targetId: string): string =>
  `/ablations/new?reference=${referenceId}&target=${targetId}`;
export const compareLink = (aId: string, bId: string): string => `/checkpoints/compare?a=${aId}&b=${bId}`;
