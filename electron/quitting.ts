/**
 * Quitting in order: asks when jobs run, stops the engine, ends. One question at a time; a signal from the terminal or
 * the system asks nothing, because the jobs can be resumed.
 */
import { app, dialog } from 'electron';
import type { BrowserWindow } from 'electron';
import { runningJobs } from './engineConnection.ts';
import type { EngineProcess } from './engineProcess.ts';

export interface Quitting {
  /** True once nothing may be asked any more. */
  decided(): boolean;
  /** Asks if it has to, then quits. */
  request(): void;
  /** Quits without asking. */
  now(): Promise<void>;
}

/** @param beforeEnd last chance to write what the shell keeps; the window is still there */
export function quitting(engine: EngineProcess, window: () => BrowserWindow | null, beforeEnd: () => void): Quitting {
  let asking = false;
  let decided = false;

  const now = async (): Promise<void> => {
    if (decided) return;
    decided = true;
    beforeEnd();
    window()?.hide(); // The engine may take a second to write its state.
    await engine.stop();
    app.exit(0);
  };

  const mayQuit = async (): Promise<boolean> => {
    const listening = engine.engine;
    if (!listening || !engine.owned) return true; // An engine of another process goes on with its jobs.
    const running = await runningJobs(listening);
    if (running === 0) return true;
    const question = {
      type: 'question' as const,
      title: 'Quit Rotascope',
      message: running === 1 ? 'A job is running.' : `${running} jobs are running.`,
      detail: running === 1 ? 'It can be resumed.' : 'They can be resumed.',
      buttons: ['Quit', 'Cancel'],
      defaultId: 0,
      cancelId: 1,
    };
    const over = window();
    const { response } = await (over ? dialog.showMessageBox(over, question) : dialog.showMessageBox(question));
    return response === 0;
  };

  const request = async (): Promise<void> => {
    if (asking || decided) return;
    asking = true;
    const agreed = await mayQuit();
    asking = false;
    if (agreed) await now();
  };

  return { decided: () => decided, request: () => void request(), now };
}
