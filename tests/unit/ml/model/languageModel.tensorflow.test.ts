import { test } from 'vitest';
import { nativeStatus } from '../../../../main/bootstrap/native.mjs';
import { languageModelLaws } from './languageModelLaws.ts';

const native = nativeStatus().tensorflow;
if (native.ready) languageModelLaws('tensorflow');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
