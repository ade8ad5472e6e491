import { modelParityTests } from './modelParity.ts';

modelParityTests('wasm', 'forwardAndGradients');
