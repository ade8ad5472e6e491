import { languageModelLaws } from './languageModelLaws.ts';

languageModelLaws('wasm');
