/** Where the numbers of a figure come from: what was asked, which seeds, what computed, and the contents of the checkpoints. */
import type { InjectionKey } from 'vue';
import type { Checkpoint, Study } from '../../../main/contract/api.ts';
import type { CheckpointRef, SpectralResult } from '../../../main/contract/spectral.ts';
import type { StudyResult } from '../../../main/contract/studyResult.ts';
import type { SweepResult } from '../../../main/contract/sweeps.ts';

export interface FigureSource {
  /** Name of the study, sweep or comparison. */
  name: string;
  /** The study whose gallery has these figures; null where there is none. */
  studyId: string | null;
  provenance(): Record<string, unknown>;
}

/** A page that shows figures provides it to them. */
export const figureSourceKey: InjectionKey<FigureSource> = Symbol('source of the figures');

const checkpointOf = ({ id, name, step, contentHash }: CheckpointRef | Checkpoint): Record<string, unknown> => ({
  id,
  name,
  step,
  contentHash,
});

/** @param checkpoints of the catalogue; those of other studies are left out */
export function studyProvenance(
  study: Study,
  result: StudyResult | null,
  checkpoints: readonly Checkpoint[],
): Record<string, unknown> {
  return {
    kind: 'study',
    id: study.id,
    name: study.name,
    createdAt: new Date(study.createdAtMs).toISOString(),
    complete: result?.complete ?? false,
    settingsHash: result?.study.settingsHash ?? null,
    settings: study.settings,
    seeds: study.settings.seeds,
    computedWith: result?.provenance ?? null,
    checkpoints: checkpoints.filter(({ studyId }) => studyId === study.id).map(checkpointOf),
  };
}

export function sweepProvenance(sweep: SweepResult): Record<string, unknown> {
  const { id, name, createdAtMs, settings, pairs, provenance, state } = sweep;
  return {
    kind: 'ablation',
    id,
    name,
    createdAt: new Date(createdAtMs).toISOString(),
    complete: state === 'succeeded',
    settings,
    seeds: [settings.seed],
    computedWith: provenance,
    pairs: pairs.map(({ label, stage, reference, target }) => ({
      label,
      stage,
      reference: checkpointOf(reference),
      target: checkpointOf(target),
    })),
  };
}

export function comparisonProvenance(comparison: SpectralResult): Record<string, unknown> {
  const { id, createdAtMs, settings, reference, targets, provenance, state } = comparison;
  return {
    kind: 'comparison',
    id,
    createdAt: new Date(createdAtMs).toISOString(),
    complete: state === 'succeeded',
    settings,
    computedWith: provenance,
    reference: checkpointOf(reference),
    targets: targets.map(checkpointOf),
  };
}
