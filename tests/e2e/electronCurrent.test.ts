import { describeRemote } from './electronRemoteSuite.ts';
import { describeShell } from './electronSuite.ts';
import { currentElectron } from './parts.ts';

describeShell('Desktop shell in the current Electron', currentElectron, 'production');
describeRemote("Another machine's engine in the current Electron", currentElectron, 'production');
