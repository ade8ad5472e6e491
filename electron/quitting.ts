/**
 * Quitting in order: asks when jobs run, stops the engine, ends. One question at a time; a signal from the terminal or
 * the system asks nothing, because the jobs can be resumed.
 */
import { app, dialog } from 'electron';
import type { BrowserWindow } from 'electron';
import type { Job } from '../main/contract/api.ts';
import { cancelJobs, runningJobs } from './engineConnection.ts';
import type { EngineProcess } from './engineProcess.ts';

export interface Quitting {
  /** True once nothing may be asked any more. */
  decided(): boolean;
  /** Asks if it has to, then quits. */
  request(): void;
  /** Quits without asking. */
  now(): Promise<void>;
}

const answers = { quit: 0, cancelJobs: 1, stay: 2 } as const;

/** What is asked while jobs run. */
export function quitQuestion(running: readonly Pick<Job, 'title'>[]) {
  const one = running.length === 1;
  return {
    type: 'question' as const,
    title: 'Quit Rotascope',
    message: one ? `A job is running: ${running[0]!.title}` : `${running.length} jobs are running.`,
    detail: one
      ? 'It can be resumed from its last checkpoint at the next start, or be cancelled.'
      : 'They can be resumed from their last checkpoints at the next start, or be cancelled.',
    buttons: ['Quit and resume later', one ? 'Cancel the job and quit' : 'Cancel the jobs and quit', 'Stay'],
    defaultId: answers.quit,
    cancelId: answers.stay,
    noLink: true,
  };
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
    if (running.length === 0) return true;
    const over = window();
    const question = quitQuestion(running);
    const { response } = await (over ? dialog.showMessageBox(over, question) : dialog.showMessageBox(question));
    if (response === answers.cancelJobs) {
      // One that cannot be cancelled any more has ended, or is resumable like all that quitting stops.
      await cancelJobs(listening, running).catch((error: unknown) => console.error(String(error)));
    }
    return response !== answers.stay;
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
