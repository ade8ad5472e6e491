/**
 * What computes here. The engine itself never loads TensorFlow: what the installer recorded is shown at once, and a
 * short process of its own opens the backend and says what it really is.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { cacheFolder } from '../bootstrap/folders.mjs';
import { gpuStatus, verdictKey } from '../compute/gpuChoice.ts';
import { computeStatusSchema } from '../contract/api.ts';
import type { ComputeStatus } from '../contract/api.ts';
import { nativeStatus } from '../bootstrap/native.mjs';
import type { Logger } from '../logging/log.ts';

const probeEntry = fileURLToPath(new URL('../jobs/computeProbeEntry.ts', import.meta.url));
/** Loading TensorFlow from a cold disk takes seconds, the trial of a GPU a minute; longer means that it hangs. */
const probeTimeoutMs = 600_000;

function recordedStatus(): ComputeStatus {
  const { tensorflow, cuda } = nativeStatus();
  const gpu = gpuStatus();
  const device = cpus()[0]?.model ?? process.arch;
  if (!tensorflow.ready)
    return {
      backend: 'wasm',
      label: 'WebAssembly · CPU',
      device,
      reason: tensorflow.reason,
      nextStep: tensorflow.nextStep,
      cuda,
      gpu,
    };
  const version = tensorflow.version.split('.').slice(0, 2).join('.');
  const reason = cuda?.reason ?? '';
  return { backend: 'tensorflow', label: `TensorFlow ${version} · CPU`, device, reason, nextStep: '', cuda, gpu };
}

export const computesOnGpu = ({ label }: ComputeStatus): boolean => label.endsWith('GPU');

/** Everything that the answer depends on: asked again only when something of it has changed. */
function probeKey(): string {
  const backend = process.env['ROTASCOPE_BACKEND'] ?? '';
  const facts = {
    gpu: verdictKey(),
    native: nativeStatus(),
    backend,
    node: process.version,
    cpu: cpus()[0]?.model,
    version: packageJson.version,
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

const answerSchema = z.object({ key: z.string(), status: computeStatusSchema });
const answerFile = (): string => join(cacheFolder(), 'compute-status.json');

function cachedAnswer(key: string): ComputeStatus | null {
  try {
    const answer = answerSchema.parse(JSON.parse(readFileSync(answerFile(), 'utf8')));
    return answer.key === key ? answer.status : null;
  } catch {
    return null;
  }
}

function cacheAnswer(key: string, status: ComputeStatus): void {
  mkdirSync(cacheFolder(), { recursive: true });
  writeFileAtomic.sync(answerFile(), JSON.stringify({ key, status }));
}

export class ComputeProbe {
  #status: ComputeStatus;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #key = probeKey();
  #isKnown: boolean;

  constructor(log: Logger) {
    this.#log = log;
    const cached = cachedAnswer(this.#key);
    this.#isKnown = cached !== null;
    this.#status = cached ?? recordedStatus();
  }

  get status(): ComputeStatus {
    return this.#status;
  }

  /** Asks a fresh process; `onKnown` is called when the answer differs from what was recorded. */
  start(onKnown: () => void): void {
    if (this.#isKnown) return;
    const options = { timeout: probeTimeoutMs, signal: this.#abort.signal, killSignal: 'SIGKILL' as const };
    execFile(process.execPath, [probeEntry], options, (error, stdout, stderr) => {
      if (this.#abort.signal.aborted) return;
      try {
        if (error) throw error instanceof Error ? error : new Error('The probe failed.');
        const line = stdout.trim().split('\n').at(-1) ?? '';
        const status = computeStatusSchema.parse(JSON.parse(line));
        const changed = JSON.stringify(status) !== JSON.stringify(this.#status);
        this.#status = status;
        this.#isKnown = true;
        cacheAnswer(this.#key, status);
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
