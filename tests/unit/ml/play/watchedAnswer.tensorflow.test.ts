import { test } from 'vitest';
import { nativeStatus } from '../../../../main/bootstrap/native.mjs';
import { watchedAnswerLaws } from './watchedAnswerLaws.ts';

const native = nativeStatus().tensorflow;
if (native.ready) watchedAnswerLaws('tensorflow');
else test.skip(`TensorFlow: ${native.reason} ${native.nextStep}`);
