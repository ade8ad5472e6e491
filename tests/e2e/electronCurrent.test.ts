import { describeShell } from './electronSuite.ts';
import { currentElectron } from './parts.ts';

describeShell('Desktop shell in the current Electron', currentElectron, 'production');
