/** Scalars of the stages of a study, as they come in rows. */
import type { CallAnswer } from '../../main/contract/api.ts';

/** step -> values, of one stage. */
export type StageMetrics = Map<number, Record<string, number>>;

/**
 * Metrics of a step that runs again (after a resume) replace those of the first time.
 * @returns a new map, so that whoever was given the old one as a property sees that there is more
 */
export function withMetrics(
  before: ReadonlyMap<string, StageMetrics>,
  rows: CallAnswer<'studies.metrics'>['rows'],
): Map<string, StageMetrics> {
  const next = new Map(before);
  for (const { stageId, step, values } of rows) {
    let stage = next.get(stageId);
    if (stage === undefined) next.set(stageId, (stage = new Map()));
    stage.set(step, { ...stage.get(step), ...values });
  }
  return next;
}
