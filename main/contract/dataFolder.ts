/**
 * The data folder as a whole: backup into one file, restore from one, another place. What replaces or moves the folder is
 * prepared while the lab runs and done at the next start of the engine, before the database is opened.
 */
import { z } from 'zod';

const ok = z.object({ ok: z.literal(true) });
const none = z.object({});
const path = z.string().trim().min(1).max(4096);
const sizeSchema = z.object({ bytes: z.number(), files: z.number().int() });

/** What a backup file says of itself, before anything of it is written. */
export const backupContentsSchema = z.object({
  path: z.string(),
  /** Of the file. */
  bytes: z.number(),
  madeAtMs: z.number(),
  /** Version of the program that made it. */
  rotascope: z.string(),
  studies: z.number().int(),
  runs: z.number().int(),
  checkpoints: z.number().int(),
  /** What it puts on the disk. */
  unpacked: sizeSchema,
  /** Weights and caches that were left out of it. */
  leftOut: sizeSchema,
});
export type BackupContents = z.infer<typeof backupContentsSchema>;

/** What the next start of the engine will do to the data folder. */
export const preparedSchema = z.object({
  restore: backupContentsSchema.nullable(),
  /** Where the data folder goes. */
  move: z.object({ to: z.string() }).nullable(),
});
export type Prepared = z.infer<typeof preparedSchema>;

/** What a move would do. */
export const movePlanSchema = z.object({
  from: z.string(),
  to: z.string(),
  /** Renamed in an instant; else copied, compared, and the old ones removed. */
  sameDisk: z.boolean(),
  size: sizeSchema,
  freeBytes: z.number(),
});
export type MovePlan = z.infer<typeof movePlanSchema>;

export const dataFolderCalls = {
  /** What a backup would hold; `heavy`: weights, kept decompositions and the like, which it may leave out. */
  'backup.sizes': { input: none, output: z.object({ light: sizeSchema, heavy: sizeSchema }) },
  /** @throws INVALID_REQUEST a path that cannot be; CONFLICT the file is there, or a backup is under way */
  'backup.start': {
    input: z.object({ path, withHeavy: z.boolean().default(false), replace: z.boolean().default(false) }),
    output: z.object({ jobId: z.string() }),
  },
  /** @throws STORE_INVALID naming what is wrong with the file; nothing of it is written */
  'backup.look': { input: z.object({ path }), output: backupContentsSchema },
  /** Unpacks beside the data; they are replaced at the next start. @throws STORE_INVALID, CONFLICT */
  'restore.start': { input: z.object({ path }), output: z.object({ jobId: z.string() }) },
  /** @throws INVALID_REQUEST, CONFLICT, DISK_FULL naming why the data cannot go there */
  'move.look': { input: z.object({ folder: path }), output: movePlanSchema },
  /** `jobId`: of the copy, after which the move waits for the next start; null when it waits at once. @throws as `move.look` */
  'move.start': { input: z.object({ folder: path }), output: z.object({ jobId: z.string().nullable() }) },
  'data.prepared': { input: none, output: preparedSchema },
  /** The data stay as they are. */
  'data.discard': { input: none, output: ok },
  /** Data that a restore has set aside. */
  'data.removeReplaced': { input: none, output: z.object({ freedBytes: z.number() }) },
  /** Stops the engine in order and starts it again. @throws CONFLICT this engine ends with the command that started it */
  'app.restart': { input: none, output: ok },
} as const;
