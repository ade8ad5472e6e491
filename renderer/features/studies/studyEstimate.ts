/** What a composed study will take, asked of the engine when typing has settled, and micro-batches that would fit. */
import { onBeforeUnmount, shallowRef, watch, type Ref, type ShallowRef } from 'vue';
import { studySettingsSchema, type StudySettings } from '../../../main/contract/settings.ts';
import { useApp } from '../../stores/app.ts';
import { useStudies, type Estimate } from '../../stores/studies.ts';
import { useToasts } from '../../stores/toasts.ts';
import type { Draft } from './settingsForm.ts';
import { smallerMicroBatches } from './studyForm.ts';

const settleMs = 300;

/** As far as it is known. */
export const fitsMemory = ({ memoryBytes, freeMemoryBytes }: Estimate): boolean =>
  memoryBytes === null || freeMemoryBytes === null || memoryBytes <= freeMemoryBytes;

function withMicroBatches(settings: StudySettings, draft: Draft): StudySettings {
  const [sft, rl] = [Number(draft['sft.text.microBatchSize']), Number(draft['rl.text.microBatchSize'])];
  return studySettingsSchema.parse({
    ...settings,
    sft: { ...settings.sft, text: { ...settings.sft.text, microBatchSize: sft } },
    rl: { ...settings.rl, text: { ...settings.rl.text, microBatchSize: rl } },
  });
}

/**
 * @param settings null: there is nothing to estimate
 * @param known asked again when it changes: what the catalogue knows of the base
 */
export function useStudyEstimate(
  settings: Ref<StudySettings | null>,
  known: Ref<unknown>,
): {
  estimate: ShallowRef<Estimate | null>;
  /** The largest micro-batches that fit into memory, where the chosen ones do not. */
  fitting: ShallowRef<Draft | null>;
} {
  const app = useApp();
  const studies = useStudies();
  const toasts = useToasts();
  const estimate = shallowRef<Estimate | null>(null);
  const fitting = shallowRef<Draft | null>(null);
  let timer: ReturnType<typeof setTimeout> | null = null;
  const stop = (): void => void (timer !== null && clearTimeout(timer));

  async function ask(now: StudySettings): Promise<void> {
    const answer = await studies.estimate(now);
    if (settings.value !== now) return;
    estimate.value = answer;
    if (fitsMemory(answer)) return;
    for (const draft of smallerMicroBatches(now)) {
      const smaller = await studies.estimate(withMicroBatches(now, draft));
      if (settings.value !== now) return;
      if (fitsMemory(smaller)) return void (fitting.value = draft);
    }
  }
  watch(
    [settings, known, () => app.connections] as const,
    ([now]) => {
      stop();
      fitting.value = null;
      if (now === null) return void (estimate.value = null);
      timer = setTimeout(() => void toasts.load(() => ask(now)), settleMs);
    },
    { immediate: true },
  );
  onBeforeUnmount(stop);
  return { estimate, fitting };
}
