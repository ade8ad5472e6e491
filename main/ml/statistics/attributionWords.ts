/** Which arm the recovery comes with. An attribution needs the arms compared with each other, not only each with its start. */
import type { RecoveryArm } from './contrasts.ts';
import type { Evidence } from './evidence.ts';
import { capitalised, list } from './phrases.ts';

export function attributionWords(evidence: Evidence): string[] {
  const arms = (['ppoPlain', 'ppoAnchor', 'anchorOnly', 'interpolation'] as const).filter((arm) =>
    evidence.test(`gain.${arm}`),
  );
  if (arms.length === 0) return [];
  const recovering = arms.filter((arm) => evidence.test(`gain.${arm}`)!.separatedAbove);
  if (recovering.length === 0) return [`${evidence.where} no arm's recovery from SFT_End is separated.`];
  return [
    ...rlWords(evidence, arms, recovering),
    ...rewardWords(evidence, recovering),
    ...interpolationWords(evidence, recovering),
  ];
}

function rlWords(evidence: Evidence, arms: readonly RecoveryArm[], recovering: readonly RecoveryArm[]): string[] {
  const { where } = evidence;
  const anchored = recovering.filter((arm) => arm === 'ppoAnchor' || arm === 'anchorOnly');
  if (!arms.includes('ppoPlain'))
    return anchored.length === 0
      ? []
      : [`${where} RL with the anchor recovers; without plain PPO beside it the recovery cannot be attributed.`];
  const plain = `plain PPO from SFT_End: ${evidence.text('gain.ppoPlain')}`;
  if (recovering.includes('ppoPlain')) {
    const also =
      anchored.length === 0
        ? 'no arm with the anchor is separated'
        : `so does ${list(anchored.map((arm) => evidence.label(arm)))}`;
    return [`${where} plain PPO recovers OOD accuracy by itself, ${evidence.text('gain.ppoPlain')}; ${also}.`];
  }
  if (anchored.length === 0) return [`${where} no RL arm's recovery is separated (${plain}).`];
  const above = anchored.filter((arm) => evidence.test(`arms.${arm}.ppoPlain`)?.separatedAbove);
  if (above.length === 0)
    return [
      `${where} ${list(anchored.map((arm) => evidence.label(arm)))} recovers and plain PPO is not distinguishable from SFT_End, but the arms are not separated from each other (${evidence.text(`arms.${anchored[0]!}.ppoPlain`)}): the recovery is not attributed.`,
    ];
  const comparisons = above.map(
    (arm) => `${evidence.label(arm)} ends above plain PPO by ${evidence.text(`arms.${arm}.ppoPlain`)}`,
  );
  return [
    `${where} the recovery comes with the anchor: ${list(comparisons)}; ${plain}, not distinguishable from SFT_End as a gain.`,
  ];
}

/** What the reward adds to the anchor. */
function rewardWords(evidence: Evidence, recovering: readonly RecoveryArm[]): string[] {
  const [ood, inDist] = [evidence.test('arms.ppoAnchor.anchorOnly'), evidence.test('armsInDist.ppoAnchor.anchorOnly')];
  if (!ood || !inDist || !recovering.includes('anchorOnly')) return [];
  const compare = (test: typeof ood, key: string, split: string): string => {
    if (test.separatedAbove) return `with reward ${split} accuracy is higher by ${evidence.text(key)}`;
    if (test.separatedBelow) return `with reward ${split} accuracy is lower: ${evidence.text(key)}`;
    return `with and without reward ${split} accuracy is not distinguishable (${evidence.text(key)})`;
  };
  return [
    `The anchor recovers without any reward (${evidence.text('gain.anchorOnly')}): ` +
      `${compare(ood, 'arms.ppoAnchor.anchorOnly', 'OOD')}, ${compare(inDist, 'armsInDist.ppoAnchor.anchorOnly', 'in-distribution')}.`,
  ];
}

function interpolationWords(evidence: Evidence, recovering: readonly RecoveryArm[]): string[] {
  const gain = evidence.test('gain.interpolation');
  if (!gain) return [];
  const text = evidence.text('gain.interpolation');
  if (!recovering.includes('interpolation'))
    return [`No recovery by weight interpolation is separated (observed ${text}).`];
  const against = evidence.test('arms.ppoAnchor.interpolation');
  const compared = !against
    ? ''
    : against.separatedAbove || against.separatedBelow
      ? ` ${capitalised(evidence.label('ppoAnchor'))} ends ${against.separatedAbove ? 'above' : 'below'} it: ${evidence.text('arms.ppoAnchor.interpolation')}.`
      : ` It is not distinguishable from ${evidence.label('ppoAnchor')} (${evidence.text('arms.ppoAnchor.interpolation')}).`;
  return [`Weight interpolation recovers OOD accuracy without any training, ${text}.${compared}`];
}
