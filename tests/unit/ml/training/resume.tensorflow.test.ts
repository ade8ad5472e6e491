import { test } from 'vitest';
import { nativeStatus } from '../../../../main/bootstrap/native.mjs';
import { resumeLaws } from './resumeLaws.ts';

const native = nativeStatus().tensorflow;
if (native.ready) resumeLaws('tensorflow');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
