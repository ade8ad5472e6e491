/**
 * A GPU of any vendor, through WebGPU: Dawn (npm `webgpu`) reaches the driver, tfjs-backend-webgpu has the kernels. Both
 * are optional packages. On Linux Dawn speaks Vulkan, on macOS Metal, on Windows Direct3D 12.
 *
 * ROTASCOPE_GPU: a part of the name of the GPU to use, where there are several.
 * ROTASCOPE_SOFTWARE_VULKAN: a folder with libvulkan.so.1 and vk_swiftshader_icd.json, as beside Chromium: a Vulkan that
 * computes on the CPU, slowly. It is for tests, and the only way in which an adapter without a GPU is ever used.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { AppError, toErrorShape } from '../contract/errors.ts';
import { type BufferPool, DeviceWatch, type WatchedDevice } from './deviceWatch.ts';
import type { Tf } from './session.ts';
import { registerWebgpuKernels } from './webgpuKernels.ts';

const require = createRequire(import.meta.url);

export interface GpuFacts {
  /** As its driver calls it. */
  name: string;
  vendor: string;
  architecture: string;
  /** Computed by the CPU: SwiftShader, llvmpipe, WARP. */
  software: boolean;
  /** No tensor can be larger. */
  largestBufferBytes: number;
}

/** As much of WebGPU's interface as is used here. */
interface Adapter {
  info: { vendor: string; architecture: string; device: string; description: string; isFallbackAdapter: boolean };
  limits: Record<(typeof neededLimits)[number], number>;
  requestDevice(descriptor: { requiredLimits: Record<string, number> }): Promise<WatchedDevice>;
}
interface Dawn {
  create(options: string[]): { requestAdapter(options: object): Promise<Adapter | null> };
  globals: object;
}
type Backend = ReturnType<Tf['backend']> &
  BufferPool & { convertAndCacheOnCPU<Values>(dataId: object, values: Values): Values };
interface WebgpuKernels {
  WebGPUBackend: new (device: WatchedDevice, info: Adapter['info']) => Backend;
}

/** What the kernels want of the adapter, as much of it as there is. */
const neededLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/**
 * The GPU that would compute, looked at only.
 * @throws COMPUTE_UNAVAILABLE no package, no GPU, or one in software that was not asked for
 */
export async function findGpu(): Promise<{ adapter: Adapter; facts: GpuFacts }> {
  const dawn = loadDawn();
  const softwareFolder = process.env['ROTASCOPE_SOFTWARE_VULKAN'] ?? '';
  if (softwareFolder !== '') await useSoftwareVulkan(softwareFolder);
  Object.assign(globalThis, dawn.globals);
  const adapter = await requestAdapter(dawn, process.env['ROTASCOPE_GPU'] ?? '');
  const facts = factsOf(adapter);
  if (facts.software && softwareFolder === '') {
    const message = `WebGPU found no GPU, only ${facts.name}, which computes on the CPU.`;
    throw new AppError('COMPUTE_UNAVAILABLE', message, { hint: driverHint });
  }
  return { adapter, facts };
}

/** @param name part of an adapter's name; '' for the fastest. @throws COMPUTE_UNAVAILABLE */
async function requestAdapter(dawn: Dawn, name: string): Promise<Adapter> {
  let adapter: Adapter | null = null;
  // A name that fits none: Dawn throws the list of those that there are.
  let others: string[] = [];
  try {
    const gpu = dawn.create(name === '' ? [] : [`adapter=${name}`]);
    // The kernels refuse to start where a page would find no WebGPU.
    Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (error) {
    others = [...toErrorShape(error).message.matchAll(/name: '(.+)'/g)].map((match) => match[1]!);
  }
  if (adapter !== null) return adapter;
  const message = name === '' ? 'WebGPU found no GPU.' : `WebGPU found no GPU named "${name}" (ROTASCOPE_GPU).`;
  const hint = others.length > 0 ? `It found: ${others.join(', ')}.` : driverHint;
  throw new AppError('COMPUTE_UNAVAILABLE', message, { hint });
}

/** The versions of Dawn's package and of the kernels. @throws COMPUTE_UNAVAILABLE they are not installed */
export function webgpuVersions(): { dawn: string; kernels: string } {
  const version = (name: string): string => (required(`${name}/package.json`) as { version: string }).version;
  return { dawn: version('webgpu'), kernels: version('@tensorflow/tfjs-backend-webgpu') };
}

/**
 * tfjs computing on the GPU.
 * @throws COMPUTE_UNAVAILABLE
 */
export async function openGpu(): Promise<{ tf: Tf; facts: GpuFacts; watch: DeviceWatch }> {
  const { adapter, facts } = await findGpu();
  const requiredLimits = Object.fromEntries(neededLimits.map((limit) => [limit, adapter.limits[limit]]));
  const device = await adapter.requestDevice({ requiredLimits });
  const tf = require('@tensorflow/tfjs') as Tf;
  const { WebGPUBackend } = required('@tensorflow/tfjs-backend-webgpu') as WebgpuKernels;
  // Its own registration would ask for another device, with defaults.
  tf.removeBackend('webgpu');
  const backend = new WebGPUBackend(device, adapter.info);
  const watch = new DeviceWatch(device, backend, facts);
  // It would keep a copy of everything that was ever read: at a checkpoint the whole model.
  backend.convertAndCacheOnCPU = (_, values) => values;
  tf.registerBackend('webgpu', () => backend);
  // Else small tensors that were just written are computed on the CPU, and a resumed run has other bits.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  await tf.setBackend('webgpu');
  registerWebgpuKernels(tf);
  return { tf, facts, watch };
}

const driverHint =
  process.platform === 'linux'
    ? 'Install the Vulkan driver of the GPU (Debian and Ubuntu: sudo apt-get install mesa-vulkan-drivers; for NVIDIA its own driver and libvulkan1).'
    : "Install the GPU's current driver.";

/** @throws COMPUTE_UNAVAILABLE an optional package is missing, or has no build for this machine */
function required(name: string): unknown {
  try {
    return require(name);
  } catch (cause) {
    const { message } = toErrorShape(cause);
    throw new AppError(
      'COMPUTE_UNAVAILABLE',
      `WebGPU is not installed: ${message.split('\n')[0]!.replace(/\.?$/, '.')}`,
      {
        hint: 'Run "npm ci --include=optional", then start again.',
        cause,
      },
    );
  }
}

const loadDawn = (): Dawn => required('webgpu') as Dawn;

async function useSoftwareVulkan(folder: string): Promise<void> {
  const { default: koffi } = await import('./koffi.ts');
  // Loaded here, it is what Dawn finds under this name, whatever paths the system looks at.
  koffi.load(path.join(folder, 'libvulkan.so.1'));
  process.env['VK_DRIVER_FILES'] = path.join(folder, 'vk_swiftshader_icd.json');
}

function factsOf({ info, limits }: Adapter): GpuFacts {
  const { vendor, architecture, device, description, isFallbackAdapter } = info;
  const name = description || device || `${vendor} ${architecture}`.trim() || 'GPU';
  return {
    name,
    vendor,
    architecture,
    software: isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${architecture} ${name}`),
    largestBufferBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  };
}
