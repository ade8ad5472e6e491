/** Settings of several runs side by side: only what differs. Pure. */

export interface DiffRow {
  /** "sft.learningRate" */
  path: string;
  /** One value a run, in the order of the runs; null where a run has no such setting. */
  values: (string | null)[];
}

const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** @returns rows by path, and how many settings all runs share */
export function settingsDiff(runs: readonly Record<string, unknown>[]): { rows: DiffRow[]; equal: number } {
  const paths = [...new Set(runs.flatMap((settings) => Object.keys(settings)))];
  const all = paths.map((path): DiffRow => ({
    path,
    values: runs.map((settings) => (settings[path] === undefined ? null : written(settings[path]))),
  }));
  const rows = all.filter(({ values }) => values.some((value) => value !== values[0]));
  return { rows, equal: all.length - rows.length };
}
