import { trainingLaws } from './trainingLaws.ts';

trainingLaws('wasm');
