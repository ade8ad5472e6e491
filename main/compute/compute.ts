/**
 * The choice of the numeric backend: a GPU through WebGPU where it is the fastest, else TensorFlow where it is installed,
 * WebAssembly everywhere else, always with the reason.
 * One process computes on one backend: tfjs keeps the backend and TensorFlow its threads in global state.
 */
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type { backends, ComputeStatus } from '../contract/api.ts';
import { AppError, toErrorShape } from '../contract/errors.ts';
import { openCompiledSession } from './compiledSession.ts';
import { openEagerSession } from './eagerSession.ts';
import { gpuStatus } from './gpuChoice.ts';
import { reasonAgainstCuda } from './gpuTrial.ts';
import { encodeSessionConfig } from './graphDef.ts';
import { registerNativeKernels } from './nativeKernels.ts';
import { nvidiaGpus, nvidiaMemoryOf } from './nvidia.ts';
import { findTensorflow, gpuOffer, loadTfjsNode, type NativeTensorflow } from './nativeTensorflow.ts';
import type { Session, SessionOptions, Tf } from './session.ts';
import { TensorflowLibrary } from './tensorflowLibrary.ts';
import { type GpuMemory } from './deviceWatch.ts';
import { openGpu, webgpuVersions } from './webgpu.ts';

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

export type Backend = (typeof backends)[number];

export interface ComputeOptions {
  /** 'auto' (the fastest, with the reason) unless given; the variable ROTASCOPE_BACKEND overrules it. */
  backend?: 'auto' | Backend;
  /** Threads of TensorFlow, 1 unless given: small models get slower with more, and jobs run side by side. */
  threads?: number;
  /**
   * Fuse the ops of compiled steps with XLA. Off: on one CPU thread the miniature's training step takes 28 ms with it and
   * 26 ms without, its first run 1.5 to 3 s longer, and its bits are not those of the eager step.
   */
  xla?: boolean;
}

export interface Compute {
  backend: Backend;
  tf: Tf;
  status: ComputeStatus;
  /** What changes bits: stored with every run, compared before a resume. */
  provenance: Record<string, unknown>;
  openSession(options?: SessionOptions): Session;
  /** What is in use of the GPU's memory; null where the CPU computes or the backend does not know. */
  gpuMemory(): GpuMemory | null;
}

const require = createRequire(import.meta.url);
let opened: { threads: number; xla: boolean; compute: Promise<Compute> } | undefined;

/**
 * Opens the backend of this process, or gives the one that is open.
 * @throws COMPUTE_UNAVAILABLE the backend that was asked for, or every backend, cannot be used
 * @throws CONFLICT this process already computes on another backend or with other options
 */
export async function openCompute(options: ComputeOptions = {}): Promise<Compute> {
  const backend = forcedBackend() ?? options.backend ?? 'auto';
  const { threads = opened?.threads ?? 1, xla = opened?.xla ?? false } = options;
  if (opened === undefined) {
    opened = { threads, xla, compute: open(backend, threads, xla) };
    // A failure is not kept: what was missing may be there the next time.
    opened.compute.catch(() => (opened = undefined));
  }
  const compute = await opened.compute;
  if (threads !== opened?.threads || xla !== opened.xla || (backend !== 'auto' && backend !== compute.backend)) {
    const message = `This process already computes on ${compute.backend}; it was asked for ${JSON.stringify(options)}.`;
    throw new AppError('CONFLICT', message, { hint: 'Use a process of its own for each backend and its options.' });
  }
  return compute;
}

function forcedBackend(): Backend | undefined {
  const value = process.env['ROTASCOPE_BACKEND'];
  if (value === undefined || value === '' || value === 'auto') return undefined;
  if (value === 'tensorflow' || value === 'webgpu' || value === 'wasm') return value;
  throw new AppError('INVALID_REQUEST', `ROTASCOPE_BACKEND is "${value}".`, {
    hint: 'Set it to tensorflow, webgpu, wasm or auto.',
  });
}

async function open(backend: 'auto' | Backend, threads: number, xla: boolean): Promise<Compute> {
  // A GPU that CUDA reaches is faster there: compiled steps.
  if (backend === 'auto' && gpuStatus()?.use && !gpuOffer()?.inUse) {
    try {
      return await openWebgpu();
    } catch (error) {
      const { message, hint = '' } = toErrorShape(error);
      return withReason(await open('tensorflow', threads, xla).catch(() => openWasm(noReason)), message, hint);
    }
  }
  if (backend === 'webgpu') return openWebgpu();
  if (backend === 'wasm') return openWasm({ reason: 'WebAssembly was asked for.', nextStep: '' });
  try {
    return await openTensorflow(findTensorflow(), threads, xla);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = error instanceof AppError ? error.hint : undefined;
    const nextStep = hint ?? 'Run "npx rotascope doctor" to see what is installed.';
    if (backend === 'tensorflow') throw new AppError('COMPUTE_UNAVAILABLE', reason, { hint: nextStep, cause: error });
    return openWasm({ reason, nextStep });
  }
}

const noReason = { reason: '', nextStep: '' };

function withReason(compute: Compute, reason: string, nextStep: string): Compute {
  return { ...compute, status: { ...compute.status, reason, nextStep } };
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
    status: {
      backend: 'wasm',
      label: 'WebAssembly · CPU',
      device: os.cpus()[0]?.model ?? 'CPU',
      productsPerSecond: null,
      cuda: gpuOffer(),
      gpu: gpuStatus(),
      ...why,
    },
    provenance: {
      backend: 'wasm',
      tfjs: tf.version['tfjs'],
      simd: tf.env().getBool('WASM_HAS_SIMD_SUPPORT'),
      threads: 1,
      ...machine(),
    },
    openSession: () => openEagerSession(tf),
    gpuMemory: () => null,
  };
}

async function openWebgpu(): Promise<Compute> {
  const { tf, facts, watch } = await openGpu();
  const { dawn, kernels } = webgpuVersions();
  return {
    backend: 'webgpu',
    tf,
    status: {
      backend: 'webgpu',
      label: facts.software ? 'WebGPU · software' : 'WebGPU · GPU',
      device: facts.name,
      ...noReason,
      productsPerSecond: null,
      cuda: gpuOffer(),
      gpu: gpuStatus(),
    },
    provenance: {
      backend: 'webgpu',
      device: facts.software ? 'software' : 'gpu',
      gpu: facts.name,
      dawn,
      kernels,
      tfjs: tf.version['tfjs'],
      ...machine(),
    },
    openSession: () => openEagerSession(tf, (what) => watch.check(what)),
    gpuMemory: () => watch.memory(),
  };
}

/** Everything that the libraries read once, when they are loaded. */
function setTensorflowEnvironment(threads: number, xla: boolean): void {
  process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  process.env['TF_NUM_INTEROP_THREADS'] = '1';
  process.env['OMP_NUM_THREADS'] = String(threads);
  // Attention's small products run twice as fast on oneDNN as on Eigen.
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  // Else the first process takes nearly all memory of the GPU, whatever it needs.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  if (xla) process.env['TF_XLA_FLAGS'] = '--tf_xla_cpu_global_jit';
}

async function openTensorflow(native: NativeTensorflow, threads: number, xla: boolean): Promise<Compute> {
  const withoutGpu = native.variant === 'cuda' ? await reasonAgainstCuda() : '';
  // No device: the CUDA build then computes on the CPU.
  if (withoutGpu !== '') process.env['CUDA_VISIBLE_DEVICES'] = '-1';
  else if (process.env['ROTASCOPE_GPU']) process.env['CUDA_VISIBLE_DEVICES'] = process.env['ROTASCOPE_GPU'];
  // The order in which nvidia-smi lists them.
  process.env['CUDA_DEVICE_ORDER'] ??= 'PCI_BUS_ID';
  setTensorflowEnvironment(threads, xla);
  const tf = loadTfjsNode();
  registerNativeKernels(tf);
  const library = new TensorflowLibrary(native.libraryPath);
  // Ops one after another in the calling thread: one thread each is what small models are fastest with.
  const config = encodeSessionConfig({ intraOpThreads: threads, interOpThreads: -1, xla });
  const offer = gpuOffer();
  const gpu = (tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
  return {
    backend: 'tensorflow',
    tf,
    status: {
      backend: 'tensorflow',
      label: `TensorFlow ${native.version.split('.').slice(0, 2).join('.')} · ${gpu ? 'GPU' : 'CPU'}`,
      device: gpu ? nvidiaName() : (os.cpus()[0]?.model ?? 'CPU'),
      reason: withoutGpu === '' ? (offer?.reason ?? '') : withoutGpu,
      nextStep: withoutGpu === '' ? '' : 'Look at the driver with "nvidia-smi", then run "npx rotascope doctor" again.',
      productsPerSecond: null,
      cuda: offer,
      gpu: gpuStatus(),
    },
    provenance: {
      backend: 'tensorflow',
      device: gpu ? 'gpu' : 'cpu',
      tensorflow: native.version,
      tfjs: tf.version['tfjs'],
      oneDnn: process.env['TF_ENABLE_ONEDNN_OPTS'],
      xla,
      threads,
      ...machine(),
    },
    openSession: ({ eager = false } = {}) => (eager ? openEagerSession(tf) : openCompiledSession(tf, library, config)),
    gpuMemory: gpu ? nvidiaMemoryWatch() : () => null,
  };
}

/** The GPU that CUDA computes on. */
function nvidiaName(): string {
  const all = nvidiaGpus();
  const wanted = process.env['CUDA_VISIBLE_DEVICES']?.split(',')[0];
  const chosen = all.find(({ index, uuid }) => wanted === String(index) || wanted === uuid) ?? all[0];
  return chosen?.name ?? 'NVIDIA GPU';
}

/** Asked of the driver by a program of its own, so now and then only. */
const nvidiaMemoryIntervalMs = 10_000;

function nvidiaMemoryWatch(): () => GpuMemory | null {
  let [bytes, askedMs] = [null as number | null, -Infinity];
  return () => {
    if (performance.now() - askedMs > nvidiaMemoryIntervalMs) {
      bytes = nvidiaMemoryOf(process.pid);
      askedMs = performance.now();
    }
    return bytes === null ? null : { usedBytes: bytes, allocatedBytes: bytes };
  };
}
