/** Options of `rotascope ablate` as the settings of a sweep. */
import { InvalidArgumentError } from 'commander';
import type { CallInput } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { Projection } from '../contract/spectral.ts';
import { randomControls, sweepAxes } from '../contract/sweeps.ts';
import type { Pairing, RandomControl, ReversionSweep, RevertKind, SweepAxis } from '../contract/sweeps.ts';
import { parseLayers } from './compareOptions.ts';

export interface AblateOptions {
  data: string;
  target: string;
  reference: string;
  then?: string;
  name?: string;
  revert?: RevertKind[];
  matrices?: Projection[];
  axis?: SweepAxis[];
  layers?: LayerChoice;
  ranks?: RankChoice;
  controls?: Record<RandomControl, number>;
  dose: boolean;
  ceiling: boolean;
  paperCompatible: boolean;
  pairing: Pairing;
  interpolate?: number[];
  float64: boolean;
  seed?: number;
  episodes?: number;
  plan: boolean;
  csv?: string;
  json: boolean;
}

type LayerChoice = Pick<ReversionSweep, 'layerMode' | 'layerCounts'>;
type RankChoice = Pick<ReversionSweep, 'rankMode' | 'rankCounts'>;

const kinds: Record<string, RevertKind> = { values: 'singularValues', vectors: 'singularVectors', both: 'both' };

function oneOf<T extends string>(text: string, known: readonly T[]): T {
  const found = known.find((name) => name === text.trim());
  if (found === undefined) throw new InvalidArgumentError(`"${text}" is none of ${known.join(', ')}.`);
  return found;
}

/** "values,vectors" */
export const parseReverts = (text: string): RevertKind[] => [
  ...new Set(text.split(',').map((name) => kinds[oneOf(name, Object.keys(kinds))]!)),
];

/** "layers,ranks" */
export const parseAxes = (text: string): SweepAxis[] => [
  ...new Set(text.split(',').map((name) => oneOf(name, sweepAxes))),
];

function parseNumbers(text: string, what: string): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (numbers.some((x) => !Number.isInteger(x) || x < 0)) throw new InvalidArgumentError(`${what}, e.g. 5,10,15`);
  return numbers;
}

/** "first:5,10", "last:5", "each", "set:0,3-5" */
export function parseLayerChoice(text: string): LayerChoice {
  const [mode = '', list] = text.split(':');
  const layerMode = oneOf(mode, ['first', 'last', 'each', 'set'] as const);
  if (list === undefined) return { layerMode, layerCounts: null };
  const named = layerMode === 'each' || layerMode === 'set';
  return { layerMode, layerCounts: named ? parseLayers(list) : parseNumbers(list, 'Numbers of layers') };
}

/** "top:64,256", "bottom:512", "band:64,256" */
export function parseRankChoice(text: string): RankChoice {
  const [mode = '', list] = text.split(':');
  const rankMode = oneOf(mode, ['top', 'bottom', 'band'] as const);
  return { rankMode, rankCounts: list === undefined ? null : parseNumbers(list, 'Numbers of ranks') };
}

/** "scrambled=3,noise=1": what is not named is not run */
export function parseControls(text: string): Record<RandomControl, number> {
  const controls = { scrambled: 0, rotation: 0, noise: 0 };
  if (text === 'none') return controls;
  for (const part of text.split(',')) {
    const [name = '', count = '1'] = part.split('=');
    const [replicates] = parseNumbers(count, 'Replicates of a control');
    controls[oneOf(name, randomControls)] = replicates!;
  }
  return controls;
}

/** "0.25,0.5" */
export function parseAlphas(text: string): number[] {
  const alphas = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (alphas.some((x) => !Number.isFinite(x) || x < -1 || x > 2)) throw new InvalidArgumentError('E.g. 0.25,0.5,0.75');
  return alphas;
}

/** @throws INVALID_REQUEST options that exclude each other */
export function sweepSettings(options: AblateOptions): CallInput<'sweeps.start'>['settings'] {
  const { float64, seed, episodes, interpolate, then } = options;
  const common = {
    precision: float64 ? ('float64' as const) : ('float32' as const),
    ...(seed === undefined ? {} : { seed }),
    ...(episodes === undefined ? {} : { task: { evaluationEpisodes: episodes } }),
  };
  if (interpolate !== undefined) {
    if (options.revert ?? options.axis ?? options.layers ?? options.ranks)
      throw new AppError(
        'INVALID_REQUEST',
        '--interpolate mixes whole checkpoints; --revert and its axes do not apply.',
        {
          hint: 'Make two sweeps.',
        },
      );
    return { ...common, sweep: { kind: 'interpolation', alphas: interpolate } };
  }
  if (then !== undefined)
    throw new AppError('INVALID_REQUEST', '--then is the third checkpoint of an interpolation.', {
      hint: 'Add --interpolate 0.25,0.5,0.75.',
    });
  const { revert, matrices, axis, layers, ranks, controls, dose, ceiling, paperCompatible, pairing } = options;
  return {
    ...common,
    sweep: {
      kind: 'reversion',
      ...(revert ? { reverts: revert } : {}),
      ...(matrices ? { matrices } : {}),
      ...(axis ? { axes: axis } : {}),
      ...layers,
      ...ranks,
      ...(controls ? { controls } : {}),
      dose,
      ceiling,
      paperCompatible,
      pairing,
    },
  };
}
