/** What the page of answers shows, as its address holds it: a checkpoint of a run, which of its answers, and one of them. */
import type { LocationQuery } from 'vue-router';
import type { Stage } from '../../../main/contract/api.ts';
import {
  sampleFilters,
  sampleKinds,
  type AnswerSample,
  type SampleFilter,
  type SampleKind,
} from '../../../main/contract/samples.ts';

type AnswerSplit = AnswerSample['split'];
export const splits: readonly AnswerSplit[] = ['inDist', 'ood'];

/** A step (SFT) or an iteration (RL) of a run. */
export interface RunStep {
  stageId: string;
  step: number;
}

export interface AnswerAddress {
  /** Null: the first one there is. */
  at: RunStep | null;
  /** The checkpoint that stands beside it; null: none. */
  beside: RunStep | null;
  kind: SampleKind;
  split: AnswerSplit;
  filter: SampleFilter;
  index: number;
}

/** "seed-0.sft:140". */
export const runStepText = ({ stageId, step }: RunStep): string => `${stageId}:${step}`;
export function runStepOf(text: unknown): RunStep | null {
  const found = typeof text === 'string' ? /^(.+):(\d+)$/.exec(text) : null;
  return found === null ? null : { stageId: found[1]!, step: Number(found[2]) };
}

const oneOf = <T extends string>(all: readonly T[], value: unknown, otherwise: T): T =>
  all.find((one) => one === value) ?? otherwise;

export function addressOf(query: LocationQuery): AnswerAddress {
  const index = typeof query['index'] === 'string' ? Number(query['index']) : 0;
  return {
    at: runStepOf(query['at']),
    beside: runStepOf(query['beside']),
    kind: oneOf(sampleKinds, query['kind'], 'answer'),
    split: oneOf(splits, query['split'], 'ood'),
    filter: oneOf(sampleFilters, query['filter'], 'all'),
    index: Number.isInteger(index) && index > 0 ? index : 0,
  };
}

/** What differs from the defaults. */
export function queryOf({ at, beside, kind, split, filter, index }: AnswerAddress): Record<string, string> {
  return {
    ...(at === null ? {} : { at: runStepText(at) }),
    ...(beside === null ? {} : { beside: runStepText(beside) }),
    ...(kind === 'answer' ? {} : { kind }),
    ...(split === 'ood' ? {} : { split }),
    ...(filter === 'all' ? {} : { filter }),
    ...(index === 0 ? {} : { index: String(index) }),
  };
}

/** Address of the answers of one checkpoint. */
export const answersLink = (studyId: string, at: RunStep, split: AnswerSplit = 'ood') => ({
  path: `/studies/${studyId}/answers`,
  query: queryOf({ at, beside: null, kind: 'answer', split, filter: 'all', index: 0 }),
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
