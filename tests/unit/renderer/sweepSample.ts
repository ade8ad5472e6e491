/** A small sweep, by hand, that satisfies the contract: what the tests of the Ablations page draw. */
import type { Evaluation } from '../../../main/contract/evaluation.ts';
import {
  sweepResultSchema,
  sweepSettingsSchema,
  type SweepPointResult,
  type SweepResult,
  type SweepSettings,
} from '../../../main/contract/sweeps.ts';
import { episodes, evaluated } from './studySample.ts';

/** The first `right` episodes are solved. */
const outcomes = (right: number): string => '1'.repeat(right) + '0'.repeat(episodes - right);
export function evaluatedWithOutcomes(inDist: number, ood: number): Evaluation {
  const evaluation = evaluated(inDist, ood);
  return {
    ...evaluation,
    inDist: { ...evaluation.inDist, outcomes: outcomes(inDist) },
    ood: { ...evaluation.ood, outcomes: outcomes(ood) },
  };
}

let made = 0;
export function sweepPoint(inDist: number, ood: number, more: Partial<SweepPointResult>): SweepPointResult {
  return {
    pair: 0,
    axis: 'layers',
    edit: 'singularVectors',
    layers: null,
    ranks: null,
    key: `point-${(made += 1)}`,
    record: {
      changeNorm: 1,
      relativeChange: 0.02,
      orthogonalityDefect: 0,
      effectiveRank: 64,
      negativeSingularValues: 0,
      scale: null,
      matrices: [],
    },
    evaluation: evaluatedWithOutcomes(inDist, ood),
    reused: false,
    durationMs: 900,
    ...more,
  };
}

const withRecord = (more: Partial<SweepPointResult['record']>): Partial<SweepPointResult> => ({
  record: { ...sweepPoint(0, 0, {}).record, ...more },
});

export const ref = (name: string) => ({ id: name, name, folder: `/${name}`, step: null, contentHash: null });

export function sweepResult(
  points: SweepPointResult[],
  sweep: Partial<SweepSettings['sweep']> = {},
  pairs: SweepResult['pairs'] = [{ label: 'SFT stage', stage: 'sft', reference: ref('peak'), target: ref('end') }],
): SweepResult {
  const settings = sweepSettingsSchema.parse({ sweep: { kind: 'reversion', ...sweep } });
  return sweepResultSchema.parse({
    id: 'job',
    name: 'Sweep',
    pairs,
    settings,
    state: 'succeeded',
    createdAtMs: 0,
    done: points.length,
    total: points.length,
    points,
    provenance: null,
  });
}

export const own = (pair = 0): SweepPointResult[] => [
  sweepPoint(70, 10, { pair, axis: 'own', edit: 'none', own: 'target' }),
  sweepPoint(60, 40, { pair, axis: 'own', edit: 'none', own: 'reference' }),
];

/** Layers 1, 2, 3 and ranks 16, 48, 64 of one edit, with three scrambled controls, doses and ceilings. */
export function editPoints(edit: 'singularValues' | 'singularVectors', pair = 0): SweepPointResult[] {
  const small = edit === 'singularValues';
  const places: Partial<SweepPointResult>[] = [
    { axis: 'layers', k: 1, layers: [0] },
    { axis: 'layers', k: 2, layers: [0, 1] },
    { axis: 'layers', k: 3, layers: null },
    { axis: 'ranks', k: 16, ranks: { top: 16 }, ...withRecord({ effectiveRank: 16 }) },
    { axis: 'ranks', k: 48, ranks: { top: 48 }, ...withRecord({ effectiveRank: 42.7 }) },
    { axis: 'ranks', k: 64, ranks: null, ...withRecord({ effectiveRank: 53.3 }) },
  ];
  return places.flatMap((place, index) => {
    const gain = small ? index % 2 : 5 * (1 + (index % 3));
    const size = withRecord({ ...place.record, relativeChange: small ? 0.0005 * (index + 1) : 0.02 * (index + 1) });
    const dosed = withRecord({ ...place.record, relativeChange: 0.02, negativeSingularValues: 2 });
    const at = (inDist: number, ood: number, more: Partial<SweepPointResult>) =>
      sweepPoint(inDist, ood, { pair, edit, ...place, ...more });
    return [
      at(70 - index, 10 + gain, size),
      at(69, 11, { control: 'dose', ...dosed }),
      ...[9, 10, 12].map((ood, replicate) => at(70, ood, { control: 'scrambled', replicate, ...size })),
    ];
  });
}
export const ceilings = (pair = 0): SweepPointResult[] =>
  editPoints('singularVectors', pair)
    .filter(({ control }) => control === undefined)
    .map((point) => ({ ...point, key: `both-${point.key}`, edit: 'both' }));

export const paperFour = (): SweepResult =>
  sweepResult(
    [0, 1].flatMap((pair) => [
      ...own(pair),
      ...editPoints('singularValues', pair),
      ...editPoints('singularVectors', pair),
      ...ceilings(pair),
    ]),
    {},
    [
      { label: 'SFT stage', stage: 'sft', reference: ref('peak'), target: ref('end') },
      { label: 'RL stage', stage: 'rl', reference: ref('end'), target: ref('rlEnd') },
    ],
  );
