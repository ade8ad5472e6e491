/** Short messages: the fact and the next step. Errors stay until dismissed; the rest leave by themselves. */
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { toErrorShape } from '../../main/contract/errors.ts';
import { ConnectionLostError } from '../engine/EngineClient.ts';

export interface Toast {
  id: number;
  tone: 'info' | 'success' | 'error';
  text: string;
  nextStep: string;
  /** What "Copy" copies: text, code and cause of an error. */
  details: string;
  action: { label: string; run: () => void | Promise<void> } | null;
}

const lifeMs = { info: 8000, success: 6000, error: 0 } as const;

export const useToasts = defineStore('toasts', () => {
  const toasts = ref<Toast[]>([]);
  let nextId = 1;

  function dismiss(id: number): void {
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  }

  function show(tone: Toast['tone'], text: string, more: Partial<Pick<Toast, 'nextStep' | 'details' | 'action'>> = {}) {
    const id = nextId++;
    const toast: Toast = { id, tone, text, nextStep: '', details: text, action: null, ...more };
    const same = (other: Toast): boolean => other.text === text && other.tone === tone;
    toasts.value = [...toasts.value.filter((other) => !same(other)).slice(-4), toast];
    if (lifeMs[tone] > 0) setTimeout(() => dismiss(id), lifeMs[tone]);
  }

  function report(error: unknown): void {
    const shape = toErrorShape(error);
    const lines = [`${shape.code}: ${shape.message}`, shape.hint, shape.cause];
    const details = lines.filter((line) => line !== undefined).join('\n');
    show('error', shape.message, { nextStep: shape.hint ?? '', details });
  }

  /** Runs an action of the user; what it throws becomes a toast. @returns whether it succeeded. */
  async function attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      report(error);
      return false;
    }
  }

  /** Of what the page asked by itself: a lost connection is the banner's to say, and all is asked again after it. */
  function reportOfPage(error: unknown): void {
    if (!(error instanceof ConnectionLostError)) report(error);
  }

  /** Like `attempt`, for what the page does by itself: loading what it shows. */
  async function load(action: () => Promise<unknown>): Promise<void> {
    await action().catch(reportOfPage);
  }

  return { toasts, show, report, reportOfPage, attempt, load, dismiss };
});
