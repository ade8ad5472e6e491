/**
 * What computes here. The engine itself never loads TensorFlow: what the installer recorded is shown at once, and a
 * short process of its own opens the backend and says what it really is.
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { computeStatusSchema } from '../contract/api.ts';
import type { ComputeStatus } from '../contract/api.ts';
import { nativeStatus } from '../bootstrap/native.mjs';
import type { Logger } from '../logging/log.ts';

const probeEntry = fileURLToPath(new URL('../jobs/computeProbeEntry.ts', import.meta.url));
/** Loading TensorFlow from a cold disk takes seconds; longer means that it hangs. */
const probeTimeoutMs = 120_000;

function recordedStatus(): ComputeStatus {
  const { tensorflow } = nativeStatus();
  const device = cpus()[0]?.model ?? process.arch;
  if (!tensorflow.ready)
    return {
      backend: 'wasm',
      label: 'WebAssembly · CPU',
      device,
      reason: tensorflow.reason,
      nextStep: tensorflow.nextStep,
      cuda: null,
    };
  const version = tensorflow.version.split('.').slice(0, 2).join('.');
  return { backend: 'tensorflow', label: `TensorFlow ${version} · CPU`, device, reason: '', nextStep: '', cuda: null };
}

export class ComputeProbe {
  #status: ComputeStatus;
  readonly #log: Logger;
  readonly #abort = new AbortController();

  constructor(log: Logger) {
    this.#log = log;
    this.#status = recordedStatus();
  }

  get status(): ComputeStatus {
    return this.#status;
  }

  /** Asks a fresh process; `onKnown` is called when the answer differs from what was recorded. */
  start(onKnown: () => void): void {
    const options = { timeout: probeTimeoutMs, signal: this.#abort.signal, killSignal: 'SIGKILL' as const };
    execFile(process.execPath, [probeEntry], options, (error, stdout, stderr) => {
      if (this.#abort.signal.aborted) return;
      try {
        if (error) throw error;
        const line = stdout.trim().split('\n').at(-1) ?? '';
        const status = computeStatusSchema.parse(JSON.parse(line));
        const changed = JSON.stringify(status) !== JSON.stringify(this.#status);
        this.#status = status;
        if (changed) onKnown();
      } catch (cause) {
        this.#log.warn({ err: cause, stderr: stderr.slice(-2000) }, 'The compute probe failed');
      }
    });
  }

  stop(): void {
    this.#abort.abort();
  }
}
