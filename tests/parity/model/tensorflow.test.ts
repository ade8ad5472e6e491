import { test } from 'vitest';
import { nativeStatus } from '../../../main/bootstrap/native.mjs';
import { modelParityTests } from './modelParity.ts';

const native = nativeStatus().tensorflow;
if (native.ready) modelParityTests('tensorflow', 'all');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
