/** What `rotascope compare` prints and writes: tables, CSV, curves. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { EngineClient } from '../api/engineClient.ts';
import type { SpectralResult } from '../contract/spectral.ts';
import { curvesCsv, meansByMatrix, type MatrixMeans } from '../ml/spectral/comparisonTables.ts';

const percent = (share: number | null): string => (share === null ? '-' : `${(100 * share).toPrecision(3)} %`);
const ratio = (x: number | null): string => (x === null ? '-' : x.toPrecision(3));
const degrees = (angle: number | null, random: number | null): string => {
  const deg = (rad: number): string => ((rad * 180) / Math.PI).toFixed(2);
  return angle === null || random === null ? 'trivial' : `${deg(angle)} (${deg(random)})`;
};

const columns: [head: string, cell: (means: MatrixMeans) => string][] = [
  ['matrix', ({ matrix }) => matrix],
  ['layers', ({ matrices }) => String(matrices)],
  ['change', ({ relativeChange }) => percent(relativeChange)],
  ['entries', ({ changedShare }) => percent(changedShare)],
  ['|ds|/null', ({ deltaSigmaOverNull }) => ratio(deltaSigmaOverNull)],
  ['left deg (null)', ({ leftAngleRad, leftNullRad }) => degrees(leftAngleRad, leftNullRad)],
  ['right deg (null)', ({ rightAngleRad, rightNullRad }) => degrees(rightAngleRad, rightNullRad)],
  ['energy/null', ({ valueEnergyOverNull }) => ratio(valueEnergyOverNull)],
  ['restores', ({ restorationCosine }) => ratio(restorationCosine)],
  ['unstable', ({ unstable }) => String(unstable)],
];

/** Means over the layers, right-aligned. */
function table(means: readonly MatrixMeans[], withRestoration: boolean): string[] {
  const shown = columns.filter(([head]) => withRestoration || head !== 'restores');
  const cells = [shown.map(([head]) => head), ...means.map((row) => shown.map(([, cell]) => cell(row)))];
  const widths = shown.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}

/** One table a target. */
export function comparisonText({ reference, targets, restoration, rows }: SpectralResult): string[] {
  return targets.flatMap((target, t) => {
    const step = target.step === null ? '' : ` (step ${target.step})`;
    const back = restoration ? `, restoration of ${restoration.name}` : '';
    return [`${reference.name} -> ${target.name}${step}${back}`, ...table(meansByMatrix(rows[t] ?? []), restoration !== null), '']; // prettier-ignore
  });
}

/** As a name of a folder or file, whatever the checkpoint is called. */
const fileName = (text: string): string => text.replaceAll(/[^\w.-]+/g, '_').replace(/^\.+/, '_');

/** One CSV a matrix: `FOLDER/01-TARGET/WEIGHT.csv`. */
export async function writeCurves(client: EngineClient, result: SpectralResult, folder: string): Promise<void> {
  for (const [t, target] of result.targets.entries()) {
    const place = join(resolve(folder), `${String(t + 1).padStart(2, '0')}-${fileName(target.name)}`);
    await mkdir(place, { recursive: true });
    for (const { weight } of result.rows[t] ?? []) {
      const { curves } = await client.call('spectra.matrix', { id: result.id, target: t, weight });
      await writeFile(join(place, `${fileName(weight)}.csv`), curvesCsv(curves));
    }
  }
}
