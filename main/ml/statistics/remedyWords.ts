/** What helps against the forgetting, in the preset `comparison`: each remedy against SFT_End, and against the others. */
import type { Evidence } from './evidence.ts';

export function remedyWords(evidence: Evidence): string[] {
  if (!evidence.test('penalty.ood')) return [];
  return [
    ...evidence.sentence('stop.ood', 'Stopping SFT at the peak instead of SFT_End changes OOD accuracy'),
    ...evidence.sentence('stop.inDist', 'It changes in-distribution accuracy'),
    ...evidence.sentence('penalty.ood', 'The penalty on rotation changes OOD accuracy at SFT_End'),
    ...evidence.sentence('penalty.inDist', 'It changes in-distribution accuracy'),
    ...evidence.sentence('penalty.peak', 'Its OOD accuracy against stopping at the peak is different'),
    ...evidence.sentence('penalty.plain', 'Against plain PPO from SFT_End it is different'),
    ...evidence.sentence('penalty.anchor', 'Against PPO with the KL anchor it is different'),
  ];
}
