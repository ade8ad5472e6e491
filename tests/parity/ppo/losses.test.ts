import { ppoLossParity } from './lossParity.ts';

ppoLossParity('auto');
