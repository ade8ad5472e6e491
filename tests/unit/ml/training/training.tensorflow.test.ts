import { test } from 'vitest';
import { nativeStatus } from '../../../../main/bootstrap/native.mjs';
import { trainingLaws } from './trainingLaws.ts';

const native = nativeStatus().tensorflow;
if (native.ready) trainingLaws('tensorflow');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
