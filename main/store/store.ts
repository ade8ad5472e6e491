/** Everything that is kept, by table group. The only door to the database. */
import { AnalysisStore } from './analysisStore.ts';
import { AppStore } from './appStore.ts';
import { CheckpointStore } from './checkpointStore.ts';
import { openDatabase } from './database.ts';
import { JobStore } from './jobStore.ts';
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
  close(): void;
}

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
    close: () => db.close(),
  };
}
