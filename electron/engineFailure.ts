/** What the user sees when the engine does not stay up: the reason, its last lines, and what can be done. */
import { app, clipboard, dialog } from 'electron';
import type { BrowserWindow } from 'electron';
import { callEngine } from './engineConnection.ts';
import type { EngineFailure, EngineProcess } from './engineProcess.ts';

/** Enough to recognise an error without filling the screen. */
const shownLines = 8;

export async function showFailure(
  window: BrowserWindow | null,
  failure: EngineFailure,
  onChoice: { restart(): void; quit(): void },
): Promise<void> {
  const question = {
    type: 'error' as const,
    title: 'Rotascope',
    message: failure.reason,
    detail: ['Jobs that ran can be resumed after a restart.', '', ...failure.lastLines.slice(-shownLines)].join('\n'),
    buttons: ['Restart', 'Copy diagnostics', 'Quit'],
    defaultId: 0,
    cancelId: 2,
  };
  for (;;) {
    const { response } = await (window ? dialog.showMessageBox(window, question) : dialog.showMessageBox(question));
    if (response === 0) return onChoice.restart();
    if (response === 2) return onChoice.quit();
    await clipboard.writeText(diagnosticsText(failure.reason, failure.lastLines));
  }
}

/** What a report of a problem needs: versions, the engine's own account, its last lines. */
export async function diagnosticsOf(engine: EngineProcess): Promise<string> {
  const listening = engine.engine;
  if (!listening) return diagnosticsText('The engine is not running.', engine.lastLines);
  const account = await callEngine(listening, 'app.diagnostics', {}).then(
    (answer) => answer.text,
    (error: unknown) => `The engine gave no diagnostics: ${String(error)}`,
  );
  return diagnosticsText(account, engine.lastLines);
}

function diagnosticsText(account: string, lastLines: readonly string[]): string {
  const { electron, chrome, node } = process.versions;
  const versions = `Rotascope ${app.getVersion()}, Electron ${electron} (Chromium ${chrome}, Node ${node})`;
  return [versions, `${process.platform} ${process.arch}`, account, 'Last lines of the engine:', ...lastLines].join(
    '\n',
  );
}
