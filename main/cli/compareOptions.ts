/** Options of `rotascope compare` as the settings of a comparison. */
import { InvalidArgumentError } from 'commander';
import { projections } from '../contract/spectral.ts';
import type { ComparisonSettings, Projection } from '../contract/spectral.ts';
import type { CallInput } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';

export interface CompareOptions {
  data: string;
  restoration?: string;
  matrices?: Projection[];
  layers?: number[];
  rank?: number;
  rankShare?: number;
  float64: boolean;
  seed?: number;
  csv?: string;
  json: boolean;
  curves?: string;
}

/** "q,k,down" */
export function parseMatrices(text: string): Projection[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(projections as readonly string[]).includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${projections.join(', ')}.`);
  return [...new Set(names as Projection[])];
}

/** More than any model has; a slip such as 0-99999999 must not become a list. */
const maxLayers = 1000;

/** "0,5-7" */
export function parseLayers(text: string): number[] {
  const layers = text.split(',').flatMap((part) => {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim());
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (!match || to < from || to > maxLayers) throw new InvalidArgumentError('E.g. 0,5-7, counted from 0');
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  return [...new Set(layers)].sort((a, b) => a - b);
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('A whole number from 1 on.');
  return count;
}

export function parseSeed(text: string): number {
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0) throw new InvalidArgumentError('A whole number from 0 on.');
  return seed;
}

export function parseShare(text: string): number {
  const share = Number(text);
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('A number above 0, up to 1.');
  return share;
}

/** @throws INVALID_REQUEST both --rank and --rank-share */
export function comparisonSettings(options: CompareOptions): CallInput<'spectra.start'>['settings'] {
  const { matrices, layers, rank, rankShare, float64, seed } = options;
  if (rank !== undefined && rankShare !== undefined)
    throw new AppError('INVALID_REQUEST', '--rank and --rank-share say the same thing in two ways.', {
      hint: 'Give one of them.',
    });
  const angleRank: ComparisonSettings['angleRank'] | undefined =
    rank !== undefined ? { rank } : rankShare !== undefined ? { share: rankShare } : undefined;
  return {
    ...(matrices ? { matrices } : {}),
    ...(layers ? { layers } : {}),
    ...(angleRank ? { angleRank } : {}),
    ...(seed === undefined ? {} : { seed }),
    precision: float64 ? 'float64' : 'float32',
  };
}
