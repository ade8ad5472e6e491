/** Everything that is kept, by table group. The only door to the database. */
import { AnalysisStore } from './analysisStore.ts';
import { AppStore } from './appStore.ts';
import { CheckpointStore } from './checkpointStore.ts';
import { settleDataPlace } from './dataPlace.ts';
import { openDatabase } from './database.ts';
import { JobStore } from './jobStore.ts';
import { migrations } from './migrations/index.ts';
import { ResultStore } from './resultStore.ts';
import { RunStore } from './runStore.ts';
import { StudyStore } from './studyStore.ts';

export interface Store {
  studies: StudyStore;
  jobs: JobStore;
  results: ResultStore;
  checkpoints: CheckpointStore;
  analyses: AnalysisStore;
  runs: RunStore;
  app: AppStore;
  /** All or nothing; may be nested. */
  transaction<T>(body: () => T): T;
  /** Makes the paths of a data folder that came to another place lead there. @returns whether any had to be changed */
  settleIn(dataFolder: string): boolean;
  /** Of the database, without its journal. */
  bytes(): number;
  /** A copy of everything as it is at one moment, while the database is in use. */
  copyTo(file: string): Promise<void>;
  close(): void;
}

/** Names of the migrations that this program knows, oldest first; an open database has them all. */
export const knownSchema: readonly string[] = Object.keys(migrations);

/** @throws STORE_INVALID when the file is damaged, not ours, or newer than this program */
export async function openStore(file: string): Promise<Store> {
  const db = await openDatabase(file);
  return {
    studies: new StudyStore(db),
    jobs: new JobStore(db),
    results: new ResultStore(db),
    checkpoints: new CheckpointStore(db),
    analyses: new AnalysisStore(db),
    runs: new RunStore(db),
    app: new AppStore(db),
    transaction: (body) => db.transaction(body),
    settleIn: (dataFolder) => settleDataPlace(db, dataFolder),
    bytes: () => db.bytes,
    copyTo: (file) => db.copyTo(file),
    close: () => db.close(),
  };
}
