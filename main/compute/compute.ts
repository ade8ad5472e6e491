/**
 * The choice of the numeric backend: TensorFlow where it is installed, WebAssembly everywhere else, always with the reason.
 * One process computes on one backend: tfjs keeps the backend and TensorFlow its threads in global state.
 */
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type { z } from 'zod';
import type { computeStatusSchema } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { openCompiledSession } from './compiledSession.ts';
import { openEagerSession } from './eagerSession.ts';
import { encodeSessionConfig } from './graphDef.ts';
import { registerNativeKernels } from './nativeKernels.ts';
import { type NativeTensorflow, readNativeStatus } from './nativeTensorflow.ts';
import type { Session, SessionOptions, Tf } from './session.ts';
import { TensorflowLibrary } from './tensorflowLibrary.ts';

export type {
  CompiledStep,
  HostArray,
  HostTensor,
  Session,
  SessionOptions,
  StepFunction,
  TensorSpec,
  Tf,
} from './session.ts';

export type Backend = 'tensorflow' | 'wasm';
export type ComputeStatus = z.infer<typeof computeStatusSchema>;

export interface ComputeOptions {
  /** 'auto' (TensorFlow, else wasm with the reason) unless given; the variable ROTASCOPE_BACKEND overrules it. */
  backend?: 'auto' | Backend;
  /** Threads of TensorFlow, 1 unless given: small models get slower with more, and jobs run side by side. */
  threads?: number;
}

export interface Compute {
  backend: Backend;
  tf: Tf;
  status: ComputeStatus;
  /** What changes bits: stored with every run, compared before a resume. */
  provenance: Record<string, unknown>;
  openSession(options?: SessionOptions): Session;
}

const require = createRequire(import.meta.url);
let opened: { key: string; compute: Promise<Compute> } | undefined;

/**
 * Opens the backend of this process; a second call with the same options gives the same object.
 * @throws COMPUTE_UNAVAILABLE the backend that was asked for, or every backend, cannot be used
 * @throws CONFLICT this process already computes with other options
 */
export function openCompute(options: ComputeOptions = {}): Promise<Compute> {
  const backend = forcedBackend() ?? options.backend ?? 'auto';
  const threads = options.threads ?? 1;
  const key = JSON.stringify({ backend, threads });
  if (opened !== undefined && opened.key !== key) {
    const message = `This process already computes with ${opened.key}; it was asked for ${key}.`;
    return Promise.reject(new AppError('CONFLICT', message, { hint: 'Use one process for each backend.' }));
  }
  opened ??= { key, compute: open(backend, threads) };
  return opened.compute;
}

function forcedBackend(): Backend | undefined {
  const value = process.env['ROTASCOPE_BACKEND'];
  if (value === undefined || value === '' || value === 'auto') return undefined;
  if (value === 'tensorflow' || value === 'wasm') return value;
  throw new AppError('INVALID_REQUEST', `ROTASCOPE_BACKEND is "${value}".`, {
    hint: 'Set it to tensorflow, wasm or auto.',
  });
}

async function open(backend: 'auto' | Backend, threads: number): Promise<Compute> {
  if (backend === 'wasm') return openWasm({ reason: 'WebAssembly was asked for.', nextStep: '' });
  const native = await readNativeStatus();
  try {
    if (!native.ready) throw new AppError('COMPUTE_UNAVAILABLE', native.reason, { hint: native.nextStep });
    return await openTensorflow(native, threads);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = error instanceof AppError ? error.hint : undefined;
    const nextStep = hint ?? 'Run "npx rotascope doctor" to see what is installed.';
    if (backend === 'tensorflow') throw new AppError('COMPUTE_UNAVAILABLE', reason, { hint: nextStep, cause: error });
    return openWasm({ reason, nextStep });
  }
}

function machine(): Record<string, unknown> {
  return {
    cpuModel: os.cpus()[0]?.model ?? 'unknown CPU',
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
}

async function openWasm(why: { reason: string; nextStep: string }): Promise<Compute> {
  const tf = require('@tensorflow/tfjs') as Tf;
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(prefix: string): void };
  wasm.setWasmPaths(path.dirname(entry) + path.sep);
  if (!(await tf.setBackend('wasm'))) {
    throw new AppError('COMPUTE_UNAVAILABLE', 'WebAssembly could not be started.', { hint: 'Run "npm ci" again.' });
  }
  return {
    backend: 'wasm',
    tf,
    status: { backend: 'wasm', label: 'WebAssembly · CPU', device: os.cpus()[0]?.model ?? 'CPU', cuda: null, ...why },
    provenance: {
      backend: 'wasm',
      tfjs: tf.version['tfjs'],
      simd: tf.env().getBool('WASM_HAS_SIMD_SUPPORT'),
      threads: 1,
      ...machine(),
    },
    openSession: () => openEagerSession(tf),
  };
}

/** Everything that the libraries read once, when they are loaded. */
function setTensorflowEnvironment(threads: number): void {
  process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  process.env['TF_NUM_INTEROP_THREADS'] = '1';
  process.env['OMP_NUM_THREADS'] = String(threads);
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
}

async function openTensorflow(native: NativeTensorflow, threads: number): Promise<Compute> {
  setTensorflowEnvironment(threads);
  const tf = await native.load();
  registerNativeKernels(tf);
  const library = new TensorflowLibrary(native.libraryPath);
  const config = encodeSessionConfig({
    intraOpThreads: threads,
    interOpThreads: Number(process.env['INTER'] ?? -1),
    xla: process.env['XLA'] === '1',
    executor: process.env['EXECUTOR'] ?? '',
  });
  return {
    backend: 'tensorflow',
    tf,
    status: {
      backend: 'tensorflow',
      label: `TensorFlow ${native.version.split('.').slice(0, 2).join('.')} · CPU`,
      device: os.cpus()[0]?.model ?? 'CPU',
      reason: '',
      nextStep: '',
      cuda: native.cuda,
    },
    provenance: {
      backend: 'tensorflow',
      tensorflow: native.version,
      tfjs: tf.version['tfjs'],
      oneDnn: process.env['TF_ENABLE_ONEDNN_OPTS'],
      threads,
      ...machine(),
    },
    openSession: ({ eager = false } = {}) => (eager ? openEagerSession(tf) : openCompiledSession(tf, library, config)),
  };
}
