/** What the handlers work with: the parts of one running engine. */
import type { PlayProcess } from '../jobs/playProcess.ts';
import type { StudyRunner } from '../jobs/studyRunner.ts';
import type { JobSupervisor } from '../jobs/supervisor.ts';
import type { Logger } from '../logging/log.ts';
import type { Store } from '../store/store.ts';
import type { CatalogueJobs } from './catalogueJobs.ts';
import type { ComputeProbe } from './computeProbe.ts';
import type { EventBus } from './eventBus.ts';

export interface EngineContext {
  version: string;
  dataFolder: string;
  /** The sample study that ships with the program. */
  sampleFolder: string;
  /** Physical cores that may be used. */
  cores: number;
  store: Store;
  events: EventBus;
  compute: ComputeProbe;
  supervisor: JobSupervisor;
  studies: StudyRunner;
  catalogue: CatalogueJobs;
  /** Answers questions to checkpoints. */
  play: PlayProcess;
  /** Stops the engine in order and starts it again; null where it ends with the command that started it. */
  restart: (() => void) | null;
  log: Logger;
}
