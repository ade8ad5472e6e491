/**
 * What a WebGPU device reports beside the calls that caused it: no memory, a refused op, the loss of the device. The
 * kernels of tfjs go on with an empty buffer in all these cases, so that who reads numbers has to ask here first.
 */
import { AppError } from '../contract/errors.ts';
import type { GpuFacts } from './webgpu.ts';

interface GpuBuffer {
  destroy(): void;
}
interface BufferDescriptor {
  size: number;
}

/** As much of GPUDevice as is used here. */
export interface WatchedDevice {
  lost: Promise<{ reason: string; message: string }>;
  createBuffer(descriptor: BufferDescriptor): GpuBuffer;
  addEventListener(type: 'uncapturederror', listener: (event: UncapturedError) => void): void;
  destroy(): void;
}
interface UncapturedError {
  error: { message: string };
  preventDefault(): void;
}

/** The part of tfjs's backend that keeps buffers of released tensors, by size, for tensors to come. */
export interface BufferPool {
  bufferManager: {
    freeBuffers: Map<string, GpuBuffer[]>;
    numFreeBuffers: number;
    numBytesUsed: number;
    numBytesAllocated: number;
  };
}

export interface GpuMemory {
  /** Of tensors. */
  usedBytes: number;
  /** With the buffers kept for tensors to come. */
  allocatedBytes: number;
}

export class DeviceWatch {
  readonly #pool: BufferPool['bufferManager'];
  readonly #facts: GpuFacts;
  #fault: AppError | null = null;
  #lost: AppError | null = null;
  /** Of the last report. */
  #message: string | null = null;

  constructor(device: WatchedDevice, backend: BufferPool, facts: GpuFacts) {
    this.#pool = backend.bufferManager;
    this.#facts = facts;
    // Dawn calls this within the call that failed.
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#message = event.error.message;
      this.#fault ??= this.#refused(this.#message);
    });
    void device.lost.then(({ reason, message }) => {
      this.#lost = this.#lostDevice(reason, message);
    });
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => this.#createBuffer(create, descriptor);
  }

  memory(): GpuMemory {
    return { usedBytes: this.#pool.numBytesUsed, allocatedBytes: this.#pool.numBytesAllocated };
  }

  /**
   * To be called after ops were issued, and again after their values have come.
   * @param what came before: "Step "sft""
   * @throws OUT_OF_MEMORY | COMPUTE_FAILED what the device has reported since the last call
   */
  check(what: string): void {
    const error = this.#lost ?? this.#fault;
    this.#fault = null;
    if (error === null) return;
    const { code, message, hint, details } = error;
    throw new AppError(code, `${what} failed: ${message}`, { hint, details });
  }

  /**
   * A second attempt after the buffers in store were given back.
   * @throws OUT_OF_MEMORY instead of giving a buffer that would spoil every command it is bound to
   */
  #createBuffer(create: (descriptor: BufferDescriptor) => GpuBuffer, descriptor: BufferDescriptor): GpuBuffer {
    const before = this.#fault;
    const attempt = (): GpuBuffer | null => {
      this.#message = null;
      const buffer = create(descriptor);
      return this.#message === null ? buffer : null;
    };
    const buffer = attempt() ?? (this.#emptyStore() ? attempt() : null);
    this.#fault = before;
    if (buffer !== null) return buffer;
    this.#fault ??= this.#noMemory(descriptor.size, this.#message ?? '');
    throw this.#fault;
  }

  /** @returns whether there was anything in store */
  #emptyStore(): boolean {
    const pool = this.#pool;
    if (pool.numFreeBuffers === 0) return false;
    for (const [key, buffers] of pool.freeBuffers) {
      for (const buffer of buffers) buffer.destroy();
      pool.numBytesAllocated -= buffers.length * Number(key.split('_')[0]);
      pool.freeBuffers.set(key, []);
    }
    pool.numFreeBuffers = 0;
    return true;
  }

  #noMemory(bytes: number, reported: string): AppError {
    const { name, largestBufferBytes } = this.#facts;
    const { usedBytes } = this.memory();
    const details = { wantedBytes: bytes, usedBytes, largestBufferBytes, reported };
    if (bytes > largestBufferBytes) {
      const message = `a tensor of ${megabytes(bytes)} is larger than ${name} allows (${megabytes(largestBufferBytes)}).`;
      return new AppError('OUT_OF_MEMORY', message, { details, hint: 'Use a smaller batch, or another backend.' });
    }
    const message = `${name} has no memory for a tensor of ${megabytes(bytes)} beside the ${megabytes(usedBytes)} in use.`;
    return new AppError('OUT_OF_MEMORY', message, {
      details,
      hint: 'Use a smaller batch, close other programs that use the GPU, or choose another backend.',
    });
  }

  #refused(reported: string): AppError {
    const message = `${this.#facts.name} refused an operation: ${reported.split('\n')[0]}`;
    return new AppError('COMPUTE_FAILED', message, { details: { reported } });
  }

  #lostDevice(reason: string, reported: string): AppError {
    const message = `the connection to ${this.#facts.name} was lost (${reason}): ${reported.split('\n')[0]}`;
    return new AppError('COMPUTE_FAILED', message, {
      details: { reported, ...this.memory() },
      hint: 'Resume the job: it goes on from its last checkpoint. If this repeats, use a smaller batch or update the driver.',
    });
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
