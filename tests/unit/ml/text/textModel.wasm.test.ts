import { textModelLaws } from './textModelLaws.ts';

textModelLaws('wasm');
