/** What a report of a problem needs: versions, the engine's own account, its last lines; never a token. */
import { app } from 'electron';
import { withoutToken } from '../main/contract/wire.ts';
import { callEngine } from './engineConnection.ts';
import type { EngineProcess } from './engineProcess.ts';
import type { RemoteSession } from './remoteSession.ts';

/** @param happened what the window has just said: "The engine ended with code 1."; absent while all is well */
export async function diagnosticsOf(engine: EngineProcess, remote: RemoteSession, happened = ''): Promise<string> {
  const { electron, chrome, node } = process.versions;
  const lines = [
    `Rotascope ${app.getVersion()}, Electron ${electron} (Chromium ${chrome}, Node ${node})`,
    `${process.platform} ${process.arch}`,
    ...(happened === '' ? [] : [happened]),
    ...accountOfRemote(remote),
    await accountOf(engine),
    'Last lines of the engine:',
    ...engine.lastLines,
  ];
  return withoutToken(lines.join('\n'));
}

/** Of this machine's engine only is more asked: the other one has a page that copies its own. */
function accountOfRemote({ current }: RemoteSession): string[] {
  if (!current) return [];
  const { name, ssh, fault } = current;
  const tunnel = fault ? `down: ${fault.reason}` : 'up';
  return [`The window shows the engine on ${name}, ${ssh ? `over SSH (${tunnel})` : 'over a tunnel of the user'}.`];
}

async function accountOf({ engine }: EngineProcess): Promise<string> {
  if (!engine) return 'The engine is not running.';
  return callEngine(engine, 'app.diagnostics', {}).then(
    (answer) => answer.text,
    (error: unknown) => `The engine gave no diagnostics: ${String(error)}`,
  );
}
