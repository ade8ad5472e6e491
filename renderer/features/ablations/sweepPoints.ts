/**
 * What the figures of a sweep draw, picked from its points: the edits along an axis, each beside its own controls, dose
 * and ceiling, and what target and reference score themselves.
 */
import {
  randomControls,
  type RandomControl,
  type RevertKind,
  type SweepAxis,
  type SweepPoint,
  type SweepPointResult,
  type SweepResult,
  type SweepSettings,
} from '../../../main/contract/sweeps.ts';

/** One edit on an axis, and what it has to be compared with. */
export interface Site {
  /** On the category axis: a number of layers or ranks, a layer, a band. */
  label: string;
  point: SweepPointResult;
  /** Whole edited models of this edit's size, by kind; kinds without any are absent. */
  controls: Partial<Record<RandomControl, SweepPointResult[]>>;
  dose: SweepPointResult | null;
  /** The same layers and ranks copied whole from the reference. */
  ceiling: SweepPointResult | null;
}

/** What is edited, whatever the edit is: points that share it are compared with each other. */
export const placeOf = ({ pair, axis, layers, ranks }: SweepPoint): string =>
  JSON.stringify([pair, axis, layers, ranks]);

export const isRandomControl = ({ control }: SweepPoint): boolean => control !== undefined && control !== 'dose';

/** First and last of a run without holes; null where there are holes. */
function runOf(layers: readonly number[]): [number, number] | null {
  const sorted = [...layers].sort((a, b) => a - b);
  const [first, last] = [sorted[0], sorted[sorted.length - 1]];
  if (first === undefined || last === undefined || last - first + 1 !== sorted.length) return null;
  return [first, last];
}

/** Ranks as an axis writes them: "64", or "65–256" of a band. */
const rankLabel = ({ k, ranks }: SweepPoint): string =>
  ranks?.band === undefined
    ? String(k ?? ranks?.top ?? ranks?.bottom ?? 'all')
    : `${ranks.band[0] + 1}–${ranks.band[1]}`;

function layerLabel({ k, layers }: Pick<SweepPoint, 'layers'> & { k?: number | undefined }): string {
  if (k !== undefined) return String(k);
  if (layers === null) return 'all';
  const run = runOf(layers);
  return run === null ? layers.join(', ') : run[0] === run[1] ? String(run[0]) : `${run[0]}–${run[1]}`;
}

function siteLabel(point: SweepPoint, { sweep }: SweepSettings): string {
  if (point.axis === 'ranks') return rankLabel(point);
  if (point.axis === 'whole') return editLabels[point.edit];
  const isSet = sweep.kind === 'reversion' && sweep.layerMode === 'set';
  return layerLabel(isSet ? { ...point, k: undefined } : point);
}

export const editLabels: Record<SweepPoint['edit'], string> = {
  singularValues: 'values',
  singularVectors: 'vectors',
  both: 'both',
  interpolation: 'interpolation',
  none: 'unedited',
};

const order = ({ k, ranks, layers }: SweepPoint): number => k ?? ranks?.band?.[0] ?? layers?.[0] ?? 0;

/** The edits of one kind along an axis, in its order, each beside what it has to be compared with. */
export function sitesOf(
  { points, settings }: Pick<SweepResult, 'points' | 'settings'>,
  pair: number,
  edit: RevertKind,
  axis: SweepAxis,
): Site[] {
  const inAxis = points.filter((point) => point.pair === pair && point.axis === axis);
  const byPlace = new Map<string, SweepPointResult[]>();
  for (const point of inAxis) byPlace.set(placeOf(point), [...(byPlace.get(placeOf(point)) ?? []), point]);
  return inAxis
    .filter((point) => point.edit === edit && point.control === undefined)
    .sort((a, b) => order(a) - order(b))
    .map((point) => {
      const beside = byPlace.get(placeOf(point)) ?? [];
      const ofEdit = beside.filter((one) => one.edit === edit);
      const controls: Site['controls'] = {};
      for (const kind of randomControls) {
        const replicates = ofEdit.filter(({ control }) => control === kind);
        if (replicates.length > 0) controls[kind] = replicates;
      }
      const dose = ofEdit.find(({ control }) => control === 'dose') ?? null;
      const ceiling =
        edit === 'both' ? null : (beside.find((one) => one.edit === 'both' && one.control === undefined) ?? null);
      return { label: siteLabel(point, settings), point, controls, dose, ceiling };
    });
}

/** The target or the reference of a pair as it is. */
export const ownPoint = ({ points }: SweepResult, pair: number, own: 'target' | 'reference'): SweepPointResult | null =>
  points.find((point) => point.pair === pair && point.axis === 'own' && point.own === own) ?? null;

/** Ranks that a point asks for, also where these are all that the widest matrix has; null where nothing is counted. */
export function requestedRanks({ axis, k, ranks }: SweepPoint): number | null {
  if (ranks === null) return axis === 'ranks' ? (k ?? null) : null;
  const { top = 0, bottom = 0, band: [from, to] = [0, 0] } = ranks;
  return top + bottom + Math.max(0, to - from);
}

/** Narrow matrices have fewer ranks than were asked for, so that the mean over the edited matrices falls short. */
export function isRankClipped(point: SweepPointResult): boolean {
  const asked = requestedRanks(point);
  return asked !== null && point.record.effectiveRank < asked - 1e-9;
}

/** Edits that a sweep reverts and has points of, in the contract's order. */
export function editsOf({ settings, points }: SweepResult, pair: number): RevertKind[] {
  if (settings.sweep.kind !== 'reversion') return [];
  return settings.sweep.reverts.filter((edit) =>
    points.some((point) => point.pair === pair && point.edit === edit && point.control === undefined),
  );
}

/** Names of a pair's ends in the words of the study, or as the catalogue has them. */
export function endNames({ pairs }: Pick<SweepResult, 'pairs'>, pair: number): { target: string; reference: string } {
  const one = pairs[pair];
  if (one === undefined) return { target: 'target', reference: 'reference' };
  if (one.stage === 'sft') return { target: 'SFT_End', reference: 'SFT peak' };
  if (one.stage === 'rl') return { target: 'RL_End', reference: 'SFT_End' };
  return { target: one.target.name, reference: one.reference.name };
}

/** Keys of every model that these sites show. */
export const keysOf = (sites: readonly Site[]): Set<string> =>
  new Set(
    sites.flatMap(({ point, controls, dose, ceiling }) =>
      [point, dose, ceiling, ...Object.values(controls).flat()].flatMap((one) => one?.key ?? []),
    ),
  );
