import { modelParityTests } from './modelParity.ts';

modelParityTests('webgpu', 'all');
