/** `StudyResult` from stored rows: whatever is there by now, so that a running study can be drawn. */
import { z } from 'zod';
import { rlRequestSchema, stageOutputSchemas } from '../contract/requests.ts';
import { studyResultSchema, verdictsSchema } from '../contract/studyResult.ts';
import type { SeedResult, StudyResult } from '../contract/studyResult.ts';
import type { Store } from '../store/store.ts';
import { mainArm, penalisedName } from '../studies/protocol.ts';
import type { StageRecord, StudyRecord } from '../store/studyStore.ts';

/** What the stage `analyse` leaves: of a seed, and over the seeds. */
const seedAnalysisSchema = z.object({ verdicts: verdictsSchema });
const studyAnalysisSchema = studyResultSchema.pick({ across: true, words: true });

type RlResult = SeedResult['rl'][number];

function rlResult(store: Store, stage: StageRecord): RlResult[] {
  const job = stage.jobId ? store.jobs.get(stage.jobId) : undefined;
  const request = rlRequestSchema.pick({ arm: true, startStep: true }).safeParse(job?.request);
  if (!job || !request.success) return [];
  const checkpoints = store.results
    .evaluations(job.id)
    .map(({ step, evaluation }) => ({ iteration: step, evaluation }));
  const output = stageOutputSchemas.rl.safeParse(stage.output);
  const start = output.success
    ? { startRewardShare: output.data.startRewardShare, startEntropy: output.data.startEntropy }
    : {};
  return [{ arm: request.data.arm, startStep: request.data.startStep, checkpoints, ...start }];
}

function evaluationsOf(store: Store, stage: StageRecord | undefined): SeedResult['sft'] {
  if (!stage?.jobId) return [];
  return store.results.evaluations(stage.jobId).map(({ step, evaluation }) => ({ step, evaluation }));
}

/** Everything stored of one seed. */
export function seedResult(store: Store, study: StudyRecord, seed: number): SeedResult {
  const stages = store.studies.stages(study.id).filter((stage) => stage.seed === seed);
  const first = (kind: string): StageRecord | undefined => stages.find((stage) => stage.kind === kind);
  const jobOf = (kind: string): string | null => first(kind)?.jobId ?? null;
  const sft = stageOutputSchemas.sft.safeParse(first('sft')?.output);
  const ablateJob = jobOf('ablate');
  const spectra = stageOutputSchemas.decompose.safeParse(first('decompose')?.output);
  const analysed = seedAnalysisSchema.safeParse(first('analyse')?.output);
  return {
    seed,
    sft: evaluationsOf(store, first('sft')),
    penalisedSft: evaluationsOf(
      store,
      stages.find((stage) => stage.id.endsWith(`.${penalisedName}`)),
    ),
    peakStep: sft.success ? sft.data.peakStep : null,
    endStep: study.settings.sft.endStep,
    trainingData: sft.success ? sft.data.trainingData : null,
    mainArm: mainArm(study.settings),
    rl: stages.filter((stage) => stage.kind === 'rl').flatMap((stage) => rlResult(store, stage)),
    ablations: ablateJob ? store.results.ablations(ablateJob) : [],
    spectra: spectra.success ? spectra.data.spectra : [],
    verdicts: analysed.success ? analysed.data.verdicts : null,
  };
}

/** What computed, of the first job that has said so; a seed that ran on something else is listed beside it. */
function provenanceOf(store: Store, study: StudyRecord): Record<string, unknown> {
  const jobs = store.jobs.ofStudy(study.id).filter((job) => job.provenance);
  jobs.sort((a, b) => a.createdAtMs - b.createdAtMs);
  const [first] = jobs;
  if (!first?.provenance) return {};
  const backends = new Set(jobs.map((job) => job.provenance!['backend']).filter((backend) => backend !== undefined));
  const { attempt: _, ...provenance } = first.provenance;
  return backends.size > 1 ? { ...provenance, backends: [...backends] } : provenance;
}

export function studyResult(store: Store, study: StudyRecord): StudyResult {
  const stages = store.studies.stages(study.id);
  const overall = stages.find((stage) => stage.kind === 'analyse' && stage.seed === -1);
  const analysed = studyAnalysisSchema.safeParse(overall?.output);
  return {
    type: 'result',
    version: 1,
    study: {
      id: study.id,
      name: study.name,
      preset: study.settings.preset,
      createdAt: new Date(study.createdAtMs).toISOString(),
      settingsHash: study.settingsHash,
    },
    complete: stages.length > 0 && stages.every((stage) => stage.state === 'succeeded'),
    provenance: provenanceOf(store, study),
    seeds: study.settings.seeds.map((seed) => seedResult(store, study, seed)),
    across: analysed.success ? analysed.data.across : null,
    words: analysed.success ? analysed.data.words : [],
  };
}
