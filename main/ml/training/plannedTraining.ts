/** What the settings of a stage in text hold in memory: one answer for the form that asks before and for the stage itself. */
import type { RlArm, SftSettings, TextRlSettings } from '../../contract/settings.ts';
import type { PlannedTraining } from '../model/memoryEstimate.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import { rotationPenaltyBytes } from './rotationPenalty.ts';
import { driftBytes } from './spectralDrift.ts';
import { needsAnchor, needsReference } from './textRl.ts';

/** Without the lengths of texts, which each knows in another way. */
type Planned = Omit<PlannedTraining, 'promptTokens' | 'answerTokens'>;

/** @param threads matrices that are decomposed at a time */
export function plannedSft(config: ModelConfig, sft: SftSettings, threads: number): Planned {
  const { coefficient, rankShare } = sft.rotationPenalty;
  return {
    kind: 'training',
    batch: Math.min(sft.text.microBatchSize, sft.batchSize),
    atCheckpoints: sft.spectralDrift ? driftBytes(config, threads) : 0,
    ...(coefficient > 0 && { penalty: rotationPenaltyBytes(config, rankShare) }),
  };
}

export function plannedRl(settings: TextRlSettings, arm: RlArm): Planned {
  const { microBatchSize, minibatchSize } = settings;
  return {
    kind: 'training',
    batch: Math.min(microBatchSize ?? minibatchSize, minibatchSize),
    rl: { frozen: needsReference(settings, arm) ? 1 : 0, anchored: needsAnchor(settings, arm) },
  };
}
