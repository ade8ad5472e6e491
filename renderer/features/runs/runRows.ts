/** The rows of the table of runs: which are kept, in which order, and what a column of a quantity holds. Pure. */
import type { Run, RunKind } from '../../../main/contract/runs.ts';

export const kindLabels: Record<RunKind, string> = { pretrain: 'pretraining', sft: 'SFT', rl: 'RL' };

/** Best OOD accuracy of a run, beside its newest values. */
export const peakColumn = 'peakOod';

/** @param columns quantities that are shown, for sorting */
export function numberOf(run: Run, column: string): number | null {
  if (column === peakColumn) return run.peakOod?.value ?? null;
  if (column === 'seed') return run.seed;
  if (column === 'steps') return run.lastStep;
  if (column === 'created') return run.createdAtMs;
  if (column === 'took') return tookMs(run);
  return run.last[column] ?? null;
}

export const tookMs = ({ startedAtMs, endedAtMs }: Run): number | null =>
  startedAtMs === null || endedAtMs === null ? null : endedAtMs - startedAtMs;

function textOf(run: Run, column: string): string | null {
  if (column === 'title') return run.title;
  if (column === 'study') return run.studyName;
  if (column === 'kind') return kindLabels[run.kind];
  if (column === 'state') return run.state;
  if (column === 'tags') return run.tags.join(' ');
  return null;
}

/** Words, all of which a run has to have in its title, study, kind, state, tags or note. */
export function filteredRuns(runs: readonly Run[], filter: string, kind: string): Run[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter((run) => {
    if (kind !== 'all' && run.kind !== kind) return false;
    if (words.length === 0) return true;
    const { title, studyName, state, tags, note } = run;
    const text = `${title} ${studyName} ${kindLabels[run.kind]} ${state} ${tags.join(' ')} ${note}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** By a column, descending with a minus in front; runs without a value come last either way. */
export function sortedRuns(runs: readonly Run[], sort: string): Run[] {
  const descending = sort.startsWith('-');
  const column = descending ? sort.slice(1) : sort;
  const sign = descending ? -1 : 1;
  const keyed = runs.map((run) => ({ run, key: textOf(run, column) ?? numberOf(run, column) }));
  keyed.sort(({ key: a }, { key: b }) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * String(a).localeCompare(String(b), 'en', { numeric: true });
  });
  return keyed.map(({ run }) => run);
}

/** Every quantity that some run has, the usual ones first. */
export function columnChoices(runs: readonly Run[]): string[] {
  const names = new Set(runs.flatMap(({ last }) => Object.keys(last)));
  const usual = ['oodAccuracy', 'inDistAccuracy', 'loss', 'reward'].filter((name) => names.delete(name));
  return [peakColumn, ...usual, ...[...names].sort()];
}
