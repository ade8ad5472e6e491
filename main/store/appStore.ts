/** What belongs to the app and not to a study: the state of the user interface, and notices until dismissed. */
import { randomUUID } from 'node:crypto';
import { type AppState, type ComputeChoice, computeChoiceSchema } from '../contract/api.ts';
/** Kept beside the state of the page, which cannot reach it. */
const computeChoiceKey = 'engine.computeChoice';
import type { EngineSettings } from '../contract/storage.ts';
import { dataPlaceKey } from './dataPlace.ts';
import type { Database } from './database.ts';

const unset: EngineSettings = { jobsSideBySide: null, decompositionCacheGB: null };

export class AppStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  uiState(): Record<string, unknown> {
    const rows = this.#db.all(this.#db.sql.selectFrom('uiState').selectAll());
    const ofPage = rows.filter(({ key }) => key !== computeChoiceKey && key !== dataPlaceKey);
    return Object.fromEntries(ofPage.map(({ key, valueJson }) => [key, JSON.parse(valueJson) as unknown]));
  }

  computeChoice(): ComputeChoice {
    const query = this.#db.sql.selectFrom('uiState').selectAll().where('key', '=', computeChoiceKey);
    const [row] = this.#db.all(query);
    const choice = computeChoiceSchema.safeParse(row && JSON.parse(row.valueJson));
    return choice.success ? choice.data : { backend: 'auto', gpu: '' };
  }

  setComputeChoice(choice: ComputeChoice): void {
    this.#set({ [computeChoiceKey]: choice });
  }

  /** Sets the given keys; the others stay. */
  setUiState(values: Record<string, unknown>): void {
    const { [computeChoiceKey]: _, [dataPlaceKey]: __, ...ofPage } = values;
    this.#set(ofPage);
  }

  #set(values: Record<string, unknown>): void {
    this.#db.transaction(() => {
      for (const [key, value] of Object.entries(values)) {
        const valueJson = JSON.stringify(value ?? null);
        const query = this.#db.sql.insertInto('uiState').values({ key, valueJson });
        this.#db.run(query.onConflict((c) => c.column('key').doUpdateSet({ valueJson })));
      }
    });
  }

  engineSettings(): EngineSettings {
    const row = this.#db.first(this.#db.sql.selectFrom('engineSettings').select('settingsJson'));
    // Written by another version, perhaps: what it does not have is not set.
    return { ...unset, ...(JSON.parse(row?.settingsJson ?? '{}') as Partial<EngineSettings>) };
  }

  setEngineSettings(settings: EngineSettings): void {
    const settingsJson = JSON.stringify(settings);
    const query = this.#db.sql.insertInto('engineSettings').values({ id: 1, settingsJson });
    this.#db.run(query.onConflict((c) => c.column('id').doUpdateSet({ settingsJson })));
  }

  notices(): AppState['notices'] {
    return this.#db.all(this.#db.sql.selectFrom('notices').selectAll().orderBy('timeMs'));
  }

  addNotice(text: string): void {
    this.#db.run(this.#db.sql.insertInto('notices').values({ id: randomUUID(), text, timeMs: Date.now() }));
  }

  removeNotice(id: string): boolean {
    return this.#db.run(this.#db.sql.deleteFrom('notices').where('id', '=', id)) === 1;
  }
}
