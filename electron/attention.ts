/**
 * What the desktop does while jobs run: progress in the taskbar or dock, no sleep, and a notification when long work
 * ends while another window has the focus. Follows the engine over a connection of its own.
 */
import { Notification, powerSaveBlocker } from 'electron';
import type { BrowserWindow } from 'electron';
import type { EngineEvent } from '../main/contract/api.ts';
import { connectEngine } from './engineConnection.ts';
import type { EngineAddress, EngineConnection } from './engineConnection.ts';
import { longWorkMs, WorkList } from './work.ts';
import type { EndedWork } from './work.ts';

export interface AttentionOptions {
  window(): BrowserWindow | null;
  wantsNotifications(): boolean;
  /** Whether this machine stays awake for that work: another one does it by itself. */
  keepsAwake: boolean;
  /** The user clicked on a notification. */
  onClick(path: string): void;
}

/** Steps of training come many times a second; a taskbar does not need them, ms. */
const drawEveryMs = 500;
/** Values of BrowserWindow.setProgressBar. */
const noProgress = -1;
const indeterminate = 2;

export class Attention {
  private readonly work = new WorkList();
  private readonly options: AttentionOptions;
  private connection: EngineConnection | null = null;
  private blocker: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private readonly staleStudies = new Set<string>();

  constructor(options: AttentionOptions) {
    this.options = options;
  }

  /** The engine answers at this address, for the first time or again. */
  async follow(engine: EngineAddress): Promise<void> {
    this.connection?.close();
    const connection = await connectEngine(
      engine,
      (events) => events.forEach((event) => this.hear(event)),
      () => this.lost(),
    );
    this.connection = connection;
    const [jobs, studies] = await Promise.all([
      connection.call('jobs.list', { limit: 500 }),
      connection.call('studies.list', {}),
    ]);
    for (const job of jobs) if (job.studyId === null) this.work.putJob(job);
    for (const study of studies) this.work.putStudy(study);
    this.schedule();
  }

  /** That engine is not looked at any more. */
  leave(): void {
    this.connection?.close();
    this.lost();
  }

  private lost(): void {
    this.connection = null;
    this.work.clear();
    this.schedule();
  }

  private hear(event: EngineEvent): void {
    if (event.type === 'study') this.staleStudies.add(event.id);
    else if (event.type !== 'job') return;
    else if (event.job.studyId !== null) this.staleStudies.add(event.job.studyId);
    else this.tell(this.work.putJob(event.job));
    this.schedule();
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.askStudies().then(
        () => this.draw(),
        () => undefined, // The connection went meanwhile: the next one asks again.
      );
    }, drawEveryMs);
  }

  private async askStudies(): Promise<void> {
    const ids = [...this.staleStudies];
    this.staleStudies.clear();
    for (const id of ids) {
      // A study that was removed answers nothing, and nobody waits for it.
      const study = await this.connection?.call('studies.get', { id }).catch(() => null);
      if (study) this.tell(this.work.putStudy(study));
    }
  }

  private draw(): void {
    const { share, size } = this.work;
    const window = this.options.window();
    if (window && !window.isDestroyed()) {
      window.setProgressBar(share === null ? noProgress : Number.isNaN(share) ? indeterminate : share);
    }
    if (size > 0 && this.options.keepsAwake) this.blocker ??= powerSaveBlocker.start('prevent-app-suspension');
    else if (this.blocker !== null) {
      powerSaveBlocker.stop(this.blocker);
      this.blocker = null;
    }
  }

  private tell(ended: EndedWork | null): void {
    if (!ended || ended.durationMs < longWorkMs) return;
    if (!this.options.wantsNotifications() || !Notification.isSupported() || this.options.window()?.isFocused()) return;
    const notification = new Notification({ title: ended.name, body: `${ended.name} ${ended.outcome}` });
    notification.on('click', () => this.options.onClick(ended.path));
    notification.show();
  }
}
