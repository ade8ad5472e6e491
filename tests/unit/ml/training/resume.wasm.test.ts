import { resumeLaws } from './resumeLaws.ts';

resumeLaws('wasm');
