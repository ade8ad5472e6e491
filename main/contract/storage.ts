/** What the data folder holds, what of it can be computed again, and how much of the machine may be used. */
import { z } from 'zod';

export const storageKinds = [
  'database',
  'studies',
  'checkpoints',
  'jobs',
  'exports',
  'decompositions',
  'points',
  'replaced',
  'logs',
  'other',
] as const;
export type StorageKind = (typeof storageKinds)[number];
/** Kept so that nothing is computed twice; without them it is. */
export const cacheKinds = ['decompositions', 'points'] as const;

export const storageSchema = z.object({
  dataFolder: z.string(),
  diskFreeBytes: z.number(),
  kinds: z.array(z.object({ kind: z.enum(storageKinds), bytes: z.number(), files: z.number().int() })),
});
export type Storage = z.infer<typeof storageSchema>;

/** Null: as the program chooses. */
export const engineSettingsSchema = z.object({
  /** Jobs that compute side by side, one thread each; unset: one a physical core, one in all on a GPU. */
  jobsSideBySide: z.number().int().min(1).max(64).nullable(),
  /** Decompositions kept on the disk, in 10^9 bytes; unset: 20, and never over half of what is free. */
  decompositionCacheGB: z.number().min(0).max(100_000).nullable(),
});
export type EngineSettings = z.infer<typeof engineSettingsSchema>;

const none = z.object({});
export const storageCalls = {
  /** Adds up the data folder. */
  'app.storage': { input: none, output: storageSchema },
  /** @throws CONFLICT while a comparison or an ablation uses them */
  'app.clearCaches': {
    input: z.object({ kinds: z.array(z.enum(cacheKinds)).min(1) }),
    output: z.object({ freedBytes: z.number() }),
  },
  'app.settings': { input: none, output: engineSettingsSchema },
  /** For jobs that start from now on. */
  'app.setSettings': { input: engineSettingsSchema, output: engineSettingsSchema },
} as const;
