import { describeRemote } from './electronRemoteSuite.ts';
import { describeShell } from './electronSuite.ts';
import { oldElectron } from './parts.ts';

describeShell('Desktop shell in Electron 9.4.1', oldElectron, 'old');
describeRemote("Another machine's engine in Electron 9.4.1", oldElectron, 'old');
