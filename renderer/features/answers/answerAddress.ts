/** What a page of answers shows, as its address holds it: a model, which of its answers, and one of them. */
import type { LocationQuery } from 'vue-router';
import type { Stage } from '../../../main/contract/api.ts';
import {
  sampleFilters,
  sampleKinds,
  type AnswerSample,
  type AnswersPlace,
  type SampleFilter,
  type SampleKind,
} from '../../../main/contract/samples.ts';

type AnswerSplit = AnswerSample['split'];
export const splits: readonly AnswerSplit[] = ['inDist', 'ood'];

/** A model whose answers were kept: a checkpoint of a run, or a point of a sweep. */
export interface AnswerSource {
  /** Of the address. */
  id: string;
  /** Within its group: "step 140 (peak)". */
  label: string;
  /** By itself: "SFT on ID data: step 140 (peak)". */
  title: string;
  place: AnswersPlace;
}
export interface SourceGroup {
  label: string;
  sources: AnswerSource[];
}

export interface AnswerAddress {
  /** Id of a source; null: the first one there is. */
  at: string | null;
  /** The one that stands beside it; null: none. */
  beside: string | null;
  kind: SampleKind;
  split: AnswerSplit;
  filter: SampleFilter;
  index: number;
}

/** A step (SFT) or an iteration (RL) of a run. */
export interface RunStep {
  stageId: string;
  step: number;
}
/** Id of a checkpoint of a study: "seed-0.sft:140". */
export const runStepId = ({ stageId, step }: RunStep): string => `${stageId}:${step}`;

const oneOf = <T extends string>(all: readonly T[], value: unknown, otherwise: T): T =>
  all.find((one) => one === value) ?? otherwise;

export function addressOf(query: LocationQuery): AnswerAddress {
  const index = typeof query['index'] === 'string' ? Number(query['index']) : 0;
  const id = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  return {
    at: id(query['at']),
    beside: id(query['beside']),
    kind: oneOf(sampleKinds, query['kind'], 'answer'),
    split: oneOf(splits, query['split'], 'ood'),
    filter: oneOf(sampleFilters, query['filter'], 'all'),
    index: Number.isInteger(index) && index > 0 ? index : 0,
  };
}

/** What differs from the defaults. */
export function queryOf({ at, beside, kind, split, filter, index }: AnswerAddress): Record<string, string> {
  return {
    ...(at === null ? {} : { at }),
    ...(beside === null ? {} : { beside }),
    ...(kind === 'answer' ? {} : { kind }),
    ...(split === 'ood' ? {} : { split }),
    ...(filter === 'all' ? {} : { filter }),
    ...(index === 0 ? {} : { index: String(index) }),
  };
}

const from = { beside: null, kind: 'answer', split: 'ood', filter: 'all', index: 0 } as const;

/** Address of the answers of one checkpoint. */
export const answersLink = (studyId: string, at: RunStep, split: AnswerSplit = 'ood') => ({
  path: `/studies/${studyId}/answers`,
  query: queryOf({ ...from, at: runStepId(at), split }),
});

/** Address of the answers of one point of a sweep. @param beside key of another point */
export const pointAnswersLink = (sweepId: string, key: string, beside: string | null) => ({
  path: `/ablations/${sweepId}/answers`,
  query: queryOf({ ...from, at: key, beside }),
});

/** A run with the steps at which its answers were kept. */
export interface AnsweredRun {
  stage: Stage;
  steps: number[];
}

/** "step 140 (peak)", "iteration 10". */
export function stepLabel({ stage }: AnsweredRun, step: number, named: ReadonlyMap<number, string>): string {
  if (stage.kind === 'rl') return step === 0 ? 'before RL' : `iteration ${step}`;
  const name = named.get(step);
  return `step ${step}${name === undefined ? '' : ` (${name})`}`;
}
