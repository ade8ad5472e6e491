/** `incoming/restore.json` in the data folder: a backup lies there unpacked and whole, and waits for the next start. */
import { z } from 'zod';
import { backupContentsSchema } from '../../contract/dataFolder.ts';
import { manifestSchema } from './backupFormat.ts';

export const incomingName = 'incoming';
export const restoreFileName = 'restore.json';
export const restoreFileSchema = z.object({
  contents: backupContentsSchema,
  leftOut: manifestSchema.shape.leftOut,
});
export type RestoreFile = z.infer<typeof restoreFileSchema>;
