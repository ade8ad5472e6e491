import { test } from 'vitest';
import { readNativeStatus } from '../../../../main/compute/nativeTensorflow.ts';
import { resumeLaws } from './resumeLaws.ts';

const native = await readNativeStatus();
if (native.ready) resumeLaws('tensorflow');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
