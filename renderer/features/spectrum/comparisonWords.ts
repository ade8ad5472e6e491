/** What a comparison is called, from its checkpoints. */
import type { CheckpointRef, SpectralComparison } from '../../../main/contract/spectral.ts';

const stepText = ({ step, name }: CheckpointRef): string => (step === null ? name : `step ${step}`);

/** Parts of names are separated like this where the program names checkpoints. */
const separator = ' · ';

/** What both names begin with, in whole parts; the last part of each stays its own. */
function sharedParts(a: string[], b: string[]): number {
  const most = Math.min(a.length, b.length) - 1;
  let count = 0;
  while (count < most && a[count] === b[count]) count += 1;
  return count;
}

/** "peak → SFT_End", "SFT · seed 0: step 20 → step 200", or "peak → 12 checkpoints, step 10 to step 500". */
export function comparisonTitle({ reference, targets }: Pick<SpectralComparison, 'reference' | 'targets'>): string {
  const [first, last] = [targets[0], targets[targets.length - 1]];
  if (first === undefined || last === undefined) return reference.name;
  if (targets.length > 1)
    return `${reference.name} → ${targets.length} checkpoints, ${stepText(first)} to ${stepText(last)}`;
  const [from, to] = [reference.name.split(separator), first.name.split(separator)];
  const shared = sharedParts(from, to);
  const pair = `${from.slice(shared).join(separator)} → ${to.slice(shared).join(separator)}`;
  return shared === 0 ? pair : `${from.slice(0, shared).join(separator)}: ${pair}`;
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
