/**
 * The checkpoint catalogue beyond its rows: what hashing, copying and comparing two checkpoints are asked for and answer.
 */
import { z } from 'zod';

const count = z.number().int().min(0);

/** A file of a checkpoint as it was when it was last looked at. */
export const fileStampSchema = z.object({
  /** Plain name in the checkpoint's folder. */
  name: z.string(),
  bytes: count,
  mtimeMs: z.number(),
  /** Of a weight file: SHA-256 over its tensors' names, types, shapes and places; null for other files. */
  headerHash: z.string().nullable(),
});
export type FileStamp = z.infer<typeof fileStampSchema>;

export const tensorDigestSchema = z.object({
  name: z.string(),
  /** SHA-256 over type, shape and stored bytes. */
  hash: z.string(),
  /** Frobenius norm of the finite values; null for types without a value as a number here. */
  norm: z.number().nullable(),
  nan: count,
  infinite: count,
});
export type TensorDigest = z.infer<typeof tensorDigestSchema>;

/** What one pass over a checkpoint's bytes says. */
export const checkpointDigestSchema = z.object({
  id: z.string(),
  contentHash: z.string(),
  files: z.array(fileStampSchema),
  tensors: z.array(tensorDigestSchema),
});
export type CheckpointDigest = z.infer<typeof checkpointDigestSchema>;

/** Request of the job `hashCheckpoints`. `expected`: the content hash stored so far, to be confirmed. */
export const hashRequestSchema = z.object({
  checkpoints: z
    .array(z.object({ id: z.string(), name: z.string(), folder: z.string(), expected: z.string().nullable() }))
    .min(1),
});
export const hashOutputSchema = z.object({
  checkpoints: z.array(
    z.object({ id: z.string(), name: z.string(), contentHash: z.string(), expected: z.string().nullable() }),
  ),
  /** Checkpoints that could not be read, each with its reason. */
  failed: z.array(z.object({ id: z.string(), name: z.string(), text: z.string() })),
});
export type HashOutput = z.infer<typeof hashOutputSchema>;

/** Request of the job `copyCheckpoint`: `source` opens the checkpoint, `target` is the folder that is made. */
export const copyRequestSchema = z.object({
  id: z.string(),
  name: z.string(),
  source: z.string(),
  target: z.string(),
  /** Folder of all copies: equal files in it are linked instead of stored again. */
  copiesFolder: z.string(),
});
export const copyOutputSchema = z.object({
  id: z.string(),
  /** Opens the copy. */
  folder: z.string(),
  files: z.array(fileStampSchema),
  copiedBytes: count,
  /** Bytes that another copy holds already. */
  linkedBytes: count,
});
export type CopyOutput = z.infer<typeof copyOutputSchema>;

/** Request of the job `diffCheckpoints`; `equal`: tensors whose stored hashes are equal, which are not read. */
export const diffRequestSchema = z.object({
  a: z.object({ id: z.string(), name: z.string(), folder: z.string() }),
  b: z.object({ id: z.string(), name: z.string(), folder: z.string() }),
  equal: z.array(z.string()),
});

export const tensorChangeSchema = z.object({
  name: z.string(),
  /** ||B - A||_F and that over ||A||_F; null where it has no value (not floating point, A is zero, values not finite). */
  changeNorm: z.number().nullable(),
  relativeChange: z.number().nullable(),
  /** Entries whose values differ, 0..1; null for integers of two types. */
  changedShare: z.number().nullable(),
});
export type TensorChange = z.infer<typeof tensorChangeSchema>;
export const diffOutputSchema = z.object({ changes: z.array(tensorChangeSchema) });

const tensorTypeSchema = z.object({ dtype: z.string(), shape: z.array(z.number()) });
export const checkpointDiffSchema = z.object({
  /** Fields of config.json that differ, by path ("rope_scaling.factor"); undefined values are absent. */
  config: z.array(z.object({ field: z.string(), a: z.unknown().optional(), b: z.unknown().optional() })),
  onlyInA: z.array(z.string()),
  onlyInB: z.array(z.string()),
  /** In both, with another type or shape. */
  differing: z.array(z.object({ name: z.string(), a: tensorTypeSchema, b: tensorTypeSchema })),
  /** Tensors of equal shape in both. */
  comparable: count,
  /** Known from their hashes to be equal. */
  equal: count,
  /** The job that reads the values, and its answer when it has succeeded. */
  jobId: z.string().nullable(),
  changes: z.array(tensorChangeSchema).nullable(),
});
export type CheckpointDiff = z.infer<typeof checkpointDiffSchema>;

/** What has become of a checkpoint's files, in whole sentences. */
export const verificationSchema = z.object({
  intact: z.boolean(),
  findings: z.array(z.string()),
  /** The job that reads all values and compares their hash with the stored one; null when none was started. */
  jobId: z.string().nullable(),
});
export type Verification = z.infer<typeof verificationSchema>;

/** A checkpoint that holds some of the same tensors. */
export const sharingSchema = z.object({ id: z.string(), name: z.string(), tensors: count });
