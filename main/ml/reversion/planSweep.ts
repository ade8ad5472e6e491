/**
 * The points of a sweep, in the order in which they are made: the own accuracies of target and reference first (the lines
 * that every edit is read against), then the edits, the ceilings, the doses and, replicate by replicate, the controls. So
 * whatever is cut off later, what is there can be drawn.
 *
 * The paper's counts (section 3 of the replication notes): layers 5, 10, ..., L of some 30 to 40, ranks 64 ... 4096. Where
 * nothing else is asked for, both are scaled to the model.
 */
import { AppError } from '../../contract/errors.ts';
import { randomControls } from '../../contract/sweeps.ts';
import type {
  RankSelection,
  ReversionSweep,
  RevertKind,
  SweepAxis,
  SweepPoint,
  SweepSettings,
} from '../../contract/sweeps.ts';

/** What the plan has to know of the model. */
export interface SweepShape {
  /** Layers that hold an edited matrix, ascending: a model with other layers in between skips their numbers. */
  layers: readonly number[];
  /** Largest min(rows, columns) of the edited matrices. */
  largestRank: number;
}

export interface SweepPlan {
  points: SweepPoint[];
  /** The counts in use, defaults filled in; layers themselves where the mode says so. */
  layerCounts: number[];
  rankCounts: number[];
}

/** Where on an axis a point lies, and what is edited there. */
type Position = Required<Pick<SweepPoint, 'axis' | 'layers' | 'ranks'>> & Pick<SweepPoint, 'k'>;

/** Of the paper, for matrices of 4096 ranks. */
const paperRanks = [64, 256, 512, 768, 1024, 1536, 2048, 2560, 3072, 3584];
const paperLargestRank = 4096;
/** Fewer of the paper's counts than this below a matrix's rank make no curve: then they are scaled. */
const fewestPaperRanks = 4;
/** The paper's 5, 10, ..., 40 are eight steps. */
const layerSteps = 8;

const ascending = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

/** k = step, 2 step, ..., L, in about eight steps and always with L. */
export function defaultLayerCounts(layers: number): number[] {
  const step = Math.max(1, Math.round(layers / layerSteps));
  const counts = Array.from({ length: Math.floor(layers / step) }, (_, i) => (i + 1) * step);
  return ascending([...counts, layers]);
}

/** The paper's counts where enough of them lie below the full rank, else the same shares of it; always with the full rank. */
export function defaultRankCounts(largestRank: number): number[] {
  const below = paperRanks.filter((count) => count < largestRank);
  const scaled = paperRanks.map((count) => Math.max(1, Math.round((count * largestRank) / paperLargestRank)));
  return ascending([...(below.length >= fewestPaperRanks ? below : scaled), largestRank]);
}

/**
 * @param pairCount pairs of the request; all have this shape
 * @throws INVALID_REQUEST a layer that the model has not, or nothing to do
 */
export function planSweep(settings: SweepSettings, pairCount: number, shape: SweepShape): SweepPlan {
  const { sweep } = settings;
  const pairs = Array.from({ length: pairCount }, (_, pair) => pair);
  const own = pairs.flatMap((pair) => [ownPoint(pair, 'target'), ownPoint(pair, 'reference')]);
  if (sweep.kind === 'interpolation') {
    const alphas = ascending(sweep.alphas).filter((alpha) => alpha !== 0 && alpha !== 1);
    const path = pairs.flatMap((pair) => alphas.map((alpha) => pathPoint(pair, alpha)));
    return { points: [...own, ...path], layerCounts: [], rankCounts: [] };
  }
  const counts = { layers: layerCounts(sweep, shape), ranks: rankCounts(sweep, shape) };
  const positions = sweep.axes.flatMap((axis) => positionsOn(axis, sweep, shape, counts));
  const at = (edits: readonly RevertKind[], more: Partial<SweepPoint> = {}): SweepPoint[] =>
    pairs.flatMap((pair) =>
      edits.flatMap((edit) => positions.map((position): SweepPoint => ({ pair, ...position, edit, ...more }))),
    );
  const reverts = [...new Set(sweep.reverts)];
  const doses = sweep.dose ? reverts.filter((revert) => revert !== 'both') : [];
  const points = [
    ...own,
    ...at(reverts),
    ...(sweep.ceiling && !reverts.includes('both') ? at(['both']) : []),
    ...at(doses, { control: 'dose' }),
    ...replicates(sweep).flatMap((replicate) => at(reverts, replicate)),
  ];
  return { points, layerCounts: counts.layers, rankCounts: counts.ranks };
}

const ownPoint = (pair: number, own: 'target' | 'reference'): SweepPoint => {
  return { pair, axis: 'own', edit: 'none', own, layers: null, ranks: null };
};

const pathPoint = (pair: number, alpha: number): SweepPoint => {
  return { pair, axis: 'path', edit: 'interpolation', layers: null, ranks: null, alpha };
};

/** The first replicate of every control, then the second, ...: a sweep that is stopped has as many of each. */
function replicates({ controls }: ReversionSweep): Pick<SweepPoint, 'control' | 'replicate'>[] {
  const most = Math.max(...randomControls.map((control) => controls[control]));
  return Array.from({ length: most }, (_, replicate) =>
    randomControls.filter((control) => replicate < controls[control]).map((control) => ({ control, replicate })),
  ).flat();
}

/** Do the counts name layers rather than say how many? */
const namesLayers = ({ layerMode }: ReversionSweep): boolean => layerMode === 'each' || layerMode === 'set';

function layerCounts(sweep: ReversionSweep, { layers }: SweepShape): number[] {
  if (namesLayers(sweep)) {
    const unknown = sweep.layerCounts?.find((layer) => !layers.includes(layer));
    if (unknown !== undefined)
      throw new AppError('INVALID_REQUEST', `There is nothing to edit in layer ${unknown}.`, {
        hint: `The layers are ${layers[0]} to ${layers.at(-1)}; the first is 0.`,
      });
    return ascending(sweep.layerCounts ?? layers);
  }
  const counts = sweep.layerCounts ?? defaultLayerCounts(layers.length);
  return ascending(counts.map((count) => Math.min(count, layers.length)));
}

function rankCounts(sweep: ReversionSweep, { largestRank }: SweepShape): number[] {
  return ascending((sweep.rankCounts ?? defaultRankCounts(largestRank)).map((count) => Math.min(count, largestRank)));
}

function positionsOn(
  axis: SweepAxis,
  sweep: ReversionSweep,
  shape: SweepShape,
  counts: { layers: number[]; ranks: number[] },
): Position[] {
  const { layers, largestRank } = shape;
  switch (axis) {
    case 'whole':
      return [{ axis, layers: null, ranks: null }];
    case 'layers':
      return layerPositions(sweep, layers, counts.layers);
    case 'ranks':
      return counts.ranks.map((k, i) => ({
        axis,
        k,
        layers: null,
        ranks: ranksUpTo(sweep, counts.ranks, i, largestRank),
      }));
    case 'grid':
      return (namesLayers(sweep) ? counts.layers : layers).flatMap((layer) =>
        counts.ranks.map((count): Position => {
          return { axis, k: layer, layers: [layer], ranks: count >= largestRank ? null : { top: count } };
        }),
      );
  }
}

function layerPositions({ layerMode }: ReversionSweep, layers: readonly number[], counts: number[]): Position[] {
  const position = (k: number, some: readonly number[]): Position => {
    return { axis: 'layers', k, layers: some.length === layers.length ? null : [...some], ranks: null };
  };
  switch (layerMode) {
    case 'first':
      return counts.map((k) => position(k, layers.slice(0, k)));
    case 'last':
      return counts.map((k) => position(k, layers.slice(layers.length - k)));
    case 'each':
      return counts.map((layer) => position(layer, [layer]));
    case 'set':
      return [position(counts.length, counts)];
  }
}

function ranksUpTo(
  { rankMode }: ReversionSweep,
  counts: number[],
  i: number,
  largestRank: number,
): RankSelection | null {
  const count = counts[i]!;
  if (rankMode === 'band') return { band: [counts[i - 1] ?? 0, count] };
  if (count >= largestRank) return null;
  return rankMode === 'top' ? { top: count } : { bottom: count };
}
