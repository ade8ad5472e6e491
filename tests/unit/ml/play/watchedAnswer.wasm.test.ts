import { watchedAnswerLaws } from './watchedAnswerLaws.ts';

watchedAnswerLaws('wasm');
