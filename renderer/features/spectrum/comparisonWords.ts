/** What a comparison is called, from its checkpoints. */
import type { CheckpointRef, SpectralComparison } from '../../../main/contract/spectral.ts';

const stepText = ({ step, name }: CheckpointRef): string => (step === null ? name : `step ${step}`);

/** "peak → SFT_End", or "peak → 12 checkpoints, step 10 to step 500". */
export function comparisonTitle({ reference, targets }: Pick<SpectralComparison, 'reference' | 'targets'>): string {
  const [first, last] = [targets[0], targets[targets.length - 1]];
  if (first === undefined || last === undefined) return reference.name;
  if (targets.length === 1) return `${reference.name} → ${first.name}`;
  return `${reference.name} → ${targets.length} checkpoints, ${stepText(first)} to ${stepText(last)}`;
}

/** "6 matrices a layer, all layers, angles at 50 % of the ranks, float32". */
export function settingsWords({ settings }: Pick<SpectralComparison, 'settings'>): string {
  const { matrices, layers, angleRank, precision } = settings;
  return [
    matrices.join(' '),
    layers === null ? 'all layers' : `${layers.length === 1 ? 'layer' : 'layers'} ${layers.join(', ')}`,
    'rank' in angleRank
      ? `angles at rank ${angleRank.rank}`
      : `angles at ${Number((100 * angleRank.share).toPrecision(3))} % of the ranks`,
    precision,
  ].join(' · ');
}
