/**
 * Results of points on disk, `<cacheFolder>/points/<content>-<environment>.json`: what an earlier sweep, or an earlier attempt
 * of this one, has computed of the same weights on the same backend is not computed again. A file that is damaged or of
 * another form counts as absent. Each is written whole (aside, flushed, renamed), so that a kill loses the point under way.
 */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { sweepPointResultSchema } from '../../contract/sweeps.ts';

const storedPointSchema = sweepPointResultSchema.pick({ record: true, evaluation: true, durationMs: true }).extend({
  /** Of the sweep that made it. */
  jobId: z.string(),
  /** Whether that sweep has kept its answers. */
  hasAnswers: z.boolean().default(false),
});
export type StoredPoint = z.infer<typeof storedPointSchema>;

/** Where a cache folder keeps its points. */
export const pointsFolder = (cacheFolder: string): string => join(cacheFolder, 'points');

export class PointCache {
  readonly #folder: string;
  readonly #environment: string;

  /** @param environment hash of what changes bits beside the content: backend, versions, machine */
  constructor(cacheFolder: string, environment: string) {
    this.#folder = pointsFolder(cacheFolder);
    this.#environment = environment;
    mkdirSync(this.#folder, { recursive: true });
  }

  async get(content: string): Promise<StoredPoint | null> {
    try {
      return storedPointSchema.parse(JSON.parse(await readFile(this.#file(content), 'utf8')));
    } catch {
      return null;
    }
  }

  /** Best effort: a full disk must not lose the number itself. */
  async put(content: string, point: StoredPoint): Promise<void> {
    await writeFileAtomic(this.#file(content), JSON.stringify(point)).catch(() => undefined);
  }

  #file(content: string): string {
    return join(this.#folder, `${content}-${this.#environment}.json`);
  }
}
