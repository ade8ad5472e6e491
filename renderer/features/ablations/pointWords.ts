/** An edited model in words: what was reverted, where, and how it differs from the edit that it controls. */
import type { RankSelection, SweepPoint, SweepSettings } from '../../../main/contract/sweeps.ts';

function layerWords(layers: readonly number[] | null, isLast: boolean): string {
  if (layers === null) return 'all layers';
  const sorted = [...layers].sort((a, b) => a - b);
  const [first, last] = [sorted[0], sorted[sorted.length - 1]];
  if (first === undefined || last === undefined) return 'no layer';
  if (sorted.length === 1) return `layer ${first}`;
  if (last - first + 1 !== sorted.length) return `layers ${sorted.join(', ')}`;
  if (isLast) return `the last ${sorted.length} layers (${first}–${last})`;
  return first === 0 ? `the first ${sorted.length} layers` : `layers ${first}–${last}`;
}

function rankWords(ranks: RankSelection | null): string {
  if (ranks === null) return 'all ranks';
  const { top = 0, bottom = 0, band } = ranks;
  const parts = [
    ...(top > 0 ? [`the top ${top} ${top === 1 ? 'rank' : 'ranks'}`] : []),
    ...(band === undefined ? [] : [`ranks ${band[0] + 1}–${band[1]}`]),
    ...(bottom > 0 ? [`the bottom ${bottom} ${bottom === 1 ? 'rank' : 'ranks'}`] : []),
  ];
  return parts.length === 0 ? 'no rank' : parts.join(' and ');
}

const what: Record<SweepPoint['edit'], string> = {
  singularValues: 'Singular values',
  singularVectors: 'Singular vectors',
  both: 'Values and vectors',
  interpolation: 'Weights',
  none: 'Nothing',
};

/** The control first: "Scrambled control 2 of singular vectors, the first 2 layers, all ranks". */
export function pointWords(
  point: SweepPoint,
  settings: SweepSettings,
  ends: { target: string; reference: string },
): string {
  const { edit, control, replicate = 0, alpha = 0, own, layers, ranks } = point;
  if (edit === 'none') return own === 'reference' ? `${ends.reference}, unedited` : `${ends.target}, unedited`;
  if (edit === 'interpolation')
    return `Weights ${Number((100 * alpha).toFixed(2))} % of the way from ${ends.target} to ${ends.reference}`;
  const isLast = settings.sweep.kind === 'reversion' && settings.sweep.layerMode === 'last' && point.axis === 'layers';
  const place = `${layerWords(layers, isLast)}, ${rankWords(ranks)}`;
  if (control === undefined) return `${what[edit]}, ${place}`;
  if (control === 'dose') {
    const other = edit === 'singularValues' ? 'vectors' : 'values';
    return `${what[edit]} scaled to the size of the ${other} (dose), ${place}`;
  }
  const kind = control.charAt(0).toUpperCase() + control.slice(1);
  return `${kind} control ${replicate + 1} of ${what[edit].toLowerCase()}, ${place}`;
}

/** Episodes that one model solves and the other does not, in the frozen order; null where outcomes are not kept. */
export function episodesMoved(before: string, after: string): { gained: number; lost: number } | null {
  if (before.length === 0 || before.length !== after.length) return null;
  let [gained, lost] = [0, 0];
  for (let index = 0; index < before.length; index += 1) {
    if (before[index] === after[index]) continue;
    if (after[index] === '1') gained += 1;
    else lost += 1;
  }
  return { gained, lost };
}
