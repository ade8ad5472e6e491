/** What a protocol has to offer the study runner: stages in order, and their requests once earlier stages are done. */
import type { JobKind } from '../contract/api.ts';
import type { StudySettings } from '../contract/settings.ts';
import type { SeedResult } from '../contract/studyResult.ts';

export interface PlannedStage {
  id: string;
  /** -1: over all seeds. */
  seed: number;
  kind: JobKind;
  title: string;
  dependsOn: string[];
  /** Expected duration on two cores with native TensorFlow, seconds; only ratios matter for progress. */
  weight: number;
}

/** What is known when a stage is about to start. */
export interface StageFacts {
  settings: StudySettings;
  /** Absolute folder that holds everything this study writes. */
  studyFolder: string;
  /** `succeeded` data of earlier stages by stage id. */
  outputs: ReadonlyMap<string, unknown>;
  /** What is stored of a seed so far. */
  seedResult(seed: number): SeedResult;
}

export type ResolvedStage =
  | { request: Record<string, unknown> }
  /** Nothing to do: the same numbers come from another stage, named in `reason`. */
  | { skip: true; reason: string; data: unknown };

export interface Protocol {
  plan(settings: StudySettings): PlannedStage[];
  resolve(stage: PlannedStage, facts: StageFacts): ResolvedStage;
}
