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
import { backendChoiceSchema, computeStatusSchema } from '../contract/api.ts';
import type { ComputeChoice, ComputeStatus } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
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
      productsPerSecond: null,
    };
  const version = tensorflow.version.split('.').slice(0, 2).join('.');
  const reason = cuda?.reason ?? '';
  return {
    backend: 'tensorflow',
    label: `TensorFlow ${version} · CPU`,
    device,
    reason,
    nextStep: '',
    cuda,
    gpu,
    productsPerSecond: null,
  };
}

export const computesOnGpu = ({ backend, label }: ComputeStatus): boolean =>
  backend === 'webgpu' || label.endsWith('GPU');

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

/** What is asked for by the environment at the start cannot be chosen later. */
const fromEnvironment = (): ComputeChoice => ({
  backend: backendChoiceSchema.catch('auto').parse(process.env['ROTASCOPE_BACKEND']),
  gpu: process.env['ROTASCOPE_GPU'] ?? '',
});

export class ComputeProbe {
  #status: ComputeStatus;
  readonly #log: Logger;
  readonly #fixed: ComputeChoice | null;
  #choice: ComputeChoice;
  #abort = new AbortController();
  #key: string;
  #isKnown: boolean;

  /** @param choice of the user */
  constructor(log: Logger, choice: ComputeChoice) {
    this.#log = log;
    const fixed = fromEnvironment();
    this.#fixed = fixed.backend === 'auto' && fixed.gpu === '' ? null : fixed;
    this.#choice = this.#fixed ?? choice;
    this.#apply();
    this.#key = probeKey();
    const cached = cachedAnswer(this.#key);
    this.#isKnown = cached !== null;
    this.#status = cached ?? recordedStatus();
  }

  get status(): ComputeStatus {
    return this.#status;
  }

  get choice(): ComputeChoice & { fixed: boolean } {
    return { ...this.#choice, fixed: this.#fixed !== null };
  }

  /**
   * Workers that start from now on compute on it.
   * @throws CONFLICT the environment decides
   */
  choose(choice: ComputeChoice, onKnown: () => void): void {
    if (this.#fixed !== null) {
      throw new AppError(
        'CONFLICT',
        'The backend was chosen when the engine was started (ROTASCOPE_BACKEND, ROTASCOPE_GPU).',
        {
          hint: 'Start the lab without them to choose here.',
        },
      );
    }
    this.stop();
    this.#abort = new AbortController();
    this.#choice = choice;
    this.#apply();
    this.#key = probeKey();
    const cached = cachedAnswer(this.#key);
    this.#isKnown = cached !== null;
    if (cached) this.#status = cached;
    this.start(onKnown);
    onKnown();
  }

  /** Into the environment, which workers and trials inherit. */
  #apply(): void {
    const { backend, gpu } = this.#choice;
    setVariable('ROTASCOPE_BACKEND', backend === 'auto' ? '' : backend);
    setVariable('ROTASCOPE_GPU', gpu);
  }

  /** Asks a fresh process; `onKnown` is called when the answer differs from what was recorded. */
  start(onKnown: () => void): void {
    if (this.#isKnown) return;
    const { signal } = this.#abort;
    const options = { timeout: probeTimeoutMs, signal, killSignal: 'SIGKILL' as const };
    execFile(process.execPath, [probeEntry], options, (error, stdout, stderr) => {
      if (signal.aborted) return;
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
        this.#status = { ...this.#status, ...whatFailed(stderr) };
        onKnown();
      }
    });
  }

  stop(): void {
    this.#abort.abort();
  }
}

function setVariable(name: string, value: string): void {
  if (value === '') delete process.env[name];
  else process.env[name] = value;
}

/** The probe's own words, of an AppError as JSON on its last line. */
function whatFailed(stderr: string): Pick<ComputeStatus, 'reason' | 'nextStep'> {
  const nextStep = 'Choose another backend, or run "npx rotascope doctor".';
  try {
    const { message, hint } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { message: string; hint?: string };
    return { reason: message, nextStep: hint ?? nextStep };
  } catch {
    return { reason: 'The backend could not be opened.', nextStep };
  }
}
