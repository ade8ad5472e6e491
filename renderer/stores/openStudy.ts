/**
 * Everything the Study page draws of the study that is open: its result, the scalars of its runs and the comparisons
 * of the seed in view. Large data in shallow references; a new revision triggers a throttled refetch of what changed.
 */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { Comparison, StudyResult } from '../../main/contract/studyResult.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { withMetrics, type StageMetrics } from './stageMetrics.ts';
import { useStudies } from './studies.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';

const refetchEveryMs = 700;

export const useOpenStudy = defineStore('openStudy', () => {
  const id = shallowRef<string | null>(null);
  const result = shallowRef<StudyResult | null>(null);
  const metrics = shallowRef(new Map<string, StageMetrics>());
  const comparisons = shallowRef<{ seed: number; list: Comparison[] } | null>(null);
  const loading = shallowRef(false);
  let metricsRevision = 0;
  let jobOfStage = new Map<string, string | null>();
  let comparisonSeed: number | null = null;

  async function fetchComparisons(study: string): Promise<void> {
    const seed = comparisonSeed;
    if (seed === null) return;
    const list = await call('studies.comparisons', { id: study, seed });
    if (id.value === study && comparisonSeed === seed) comparisons.value = { seed, list };
  }

  /** A stage that was rerun has begun anew: what its former job said is none of its curves. */
  function forgetReplaced(study: string): void {
    const next = new Map((useStudies().byId.get(study)?.stages ?? []).map((stage) => [stage.id, stage.jobId]));
    const replaced = [...next].some(([stageId, jobId]) => (jobOfStage.get(stageId) ?? jobId) !== jobId);
    jobOfStage = next;
    if (!replaced) return;
    metrics.value = new Map();
    metricsRevision = 0;
  }

  async function fetchAll(): Promise<void> {
    const study = id.value;
    if (study === null) return;
    forgetReplaced(study);
    const [nextResult, nextMetrics] = await Promise.all([
      call('studies.result', { id: study }),
      call('studies.metrics', { id: study, afterRevision: metricsRevision }),
    ]);
    if (id.value !== study) return;
    result.value = nextResult;
    if (nextMetrics.rows.length > 0) metrics.value = withMetrics(metrics.value, nextMetrics.rows);
    metricsRevision = nextMetrics.revision;
    await fetchComparisons(study);
  }

  const refetch = throttled(() => fetchAll().catch(useToasts().reportOfPage), refetchEveryMs);
  onEngineEvent((event) => {
    if (event.type === 'study' && event.id === id.value) refetch();
  });

  async function open(study: string): Promise<void> {
    if (id.value !== study) {
      result.value = null;
      metrics.value = new Map();
      comparisons.value = null;
    }
    id.value = study;
    metricsRevision = 0;
    jobOfStage = new Map();
    loading.value = result.value === null;
    try {
      await fetchAll();
    } finally {
      loading.value = false;
    }
  }

  function close(): void {
    id.value = null;
  }

  async function showComparisonsOf(seed: number): Promise<void> {
    comparisonSeed = seed;
    if (id.value !== null) await fetchComparisons(id.value);
  }

  return { id, result, metrics, comparisons, loading, open, close, showComparisonsOf };
});
