import { test } from 'vitest';
import { readNativeStatus } from '../../../main/compute/nativeTensorflow.ts';
import { modelParityTests } from './modelParity.ts';

const native = await readNativeStatus();
if (native.ready) modelParityTests('tensorflow', 'all');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
