/** The installed TensorFlow, as the bootstrap reports it, behind one typed door. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ComputeStatus } from './compute.ts';
import type { Tf } from './session.ts';

export interface NativeTensorflow {
  ready: boolean;
  version: string;
  variant: 'cpu' | 'cuda';
  /** libtensorflow_cc.so.2 */
  libraryPath: string;
  reason: string;
  nextStep: string;
  cuda: ComputeStatus['cuda'];
  /** Loads tfjs on the native backend. Set the environment of the library before. */
  load(): Promise<Tf>;
}

interface NativeModule {
  nativeStatus(): { tensorflow: Omit<NativeTensorflow, 'load' | 'cuda'>; cuda?: ComputeStatus['cuda'] };
  prepareTfjsNode(): unknown;
}

const require = createRequire(import.meta.url);
const nativeModule = new URL('../bootstrap/native.mjs', import.meta.url);

export async function readNativeStatus(): Promise<NativeTensorflow> {
  if (!existsSync(nativeModule)) {
    return {
      ready: false,
      version: '',
      variant: 'cpu',
      libraryPath: '',
      cuda: null,
      reason: 'TensorFlow is not installed.',
      nextStep: 'Run "npm start" to install it.',
      load: () => Promise.reject(new Error('TensorFlow is not installed.')),
    };
  }
  const native = (await import(nativeModule.href)) as NativeModule;
  const status = native.nativeStatus();
  return {
    ...status.tensorflow,
    cuda: status.cuda ?? null,
    load: async () => {
      await native.prepareTfjsNode();
      return require('@tensorflow/tfjs-node-gpu') as Tf;
    },
  };
}
