import { test } from 'vitest';
import { nativeStatus } from '../../../../main/bootstrap/native.mjs';
import { textModelLaws } from './textModelLaws.ts';

const native = nativeStatus().tensorflow;
if (native.ready) textModelLaws('tensorflow');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
