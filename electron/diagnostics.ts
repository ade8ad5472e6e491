/** What a report of a problem needs: versions, the engine's own account, its last lines. */
import { app } from 'electron';
import { callEngine } from './engineConnection.ts';
import type { EngineProcess } from './engineProcess.ts';

/** @param happened what the window has just said: "The engine ended with code 1."; absent while all is well */
export async function diagnosticsOf(engine: EngineProcess, happened = ''): Promise<string> {
  const { electron, chrome, node } = process.versions;
  const lines = [
    `Rotascope ${app.getVersion()}, Electron ${electron} (Chromium ${chrome}, Node ${node})`,
    `${process.platform} ${process.arch}`,
    ...(happened === '' ? [] : [happened]),
    await accountOf(engine),
    'Last lines of the engine:',
    ...engine.lastLines,
  ];
  return lines.join('\n');
}

async function accountOf({ engine }: EngineProcess): Promise<string> {
  if (!engine) return 'The engine is not running.';
  return callEngine(engine, 'app.diagnostics', {}).then(
    (answer) => answer.text,
    (error: unknown) => `The engine gave no diagnostics: ${String(error)}`,
  );
}
