/**
 * Every way a checkpoint is accepted or refused, in one table: stable code -> the fact and the next step. The codes are
 * what `rotascope import --json` prints; the texts are what the window shows.
 */
import { AppError, type ErrorCode } from '../../contract/errors.ts';

/** What a text can name. `file` is a file name or path, `reason` a clause without a full stop. */
export interface FaultFacts {
  file: string;
  reason?: string;
}

interface ImportCode {
  error: ErrorCode;
  fact: (facts: FaultFacts) => string;
  next: string | ((facts: FaultFacts) => string);
}

const copyAgain = 'Copy or download the file again and compare its size with the source.';
const writeAgain = 'Write it again with the safetensors library (save_file), or download it again.';
const convert = 'Save the model with save_pretrained(..., safe_serialization=True) and drop that folder.';
const indexAgain = 'Take the index and all its shards from the same checkpoint.';

const indexOrFileAgain = ({ file }: FaultFacts): string => (file.endsWith('.index.json') ? indexAgain : writeAgain);

const because = (text: string) => (facts: FaultFacts) =>
  `${facts.file} ${text}${facts.reason ? `: ${facts.reason}` : ''}.`;

const invalid = (text: string, next: ImportCode['next']): ImportCode => ({
  error: 'CHECKPOINT_INVALID',
  fact: because(text),
  next,
});
const incomplete = (text: string, next: string): ImportCode => ({
  error: 'CHECKPOINT_INCOMPLETE',
  fact: because(text),
  next,
});

export const importCodes = {
  // The file
  not_found: { error: 'NOT_FOUND', fact: because('does not exist'), next: 'Check the path, or drop the folder again.' },
  unreadable: {
    error: 'CHECKPOINT_INVALID',
    fact: because('cannot be read'),
    next: 'Check that the disk is connected and that you may read the file.',
  },
  not_a_file: invalid('is neither a file nor a folder', 'Drop a folder with config.json and model.safetensors.'),
  link_leaves_folder: invalid(
    'is a link that leaves its folder',
    'Drop the folder that the link points to, or replace the link by a copy of the file.',
  ),
  too_many_files: invalid('holds too many folders or files to look through', 'Drop the checkpoint folders themselves.'),

  not_examined: {
    error: 'INTERNAL',
    fact: because('could not be examined'),
    next: 'Try it alone; if it fails again, report the file with this text.',
  },

  // The safetensors format
  not_safetensors: { error: 'CHECKPOINT_UNSUPPORTED', fact: because('is not a safetensors file'), next: convert },
  truncated: incomplete('is truncated', copyAgain),
  header_too_large: invalid('has an impossible header length', `It is damaged or another format. ${copyAgain}`),
  bad_utf8: invalid('holds text that is not valid UTF-8', copyAgain),
  bad_json: invalid('is not the JSON that the format asks for', indexOrFileAgain),
  duplicate_name: invalid('names the same thing twice', indexOrFileAgain),
  unsafe_name: invalid(
    'has a tensor name that is not accepted',
    'Rename the tensor where the file was made and save again.',
  ),
  bad_dtype: invalid('has a tensor of an unknown data type', 'Save the weights as F32, F16 or BF16.'),
  bad_shape: invalid('has a tensor with an invalid shape', writeAgain),
  bad_offsets: invalid('has a tensor with invalid data offsets', writeAgain),
  bad_metadata: invalid('has metadata that are not texts', writeAgain),
  size_mismatch: invalid('has a tensor whose size and shape disagree', writeAgain),
  overflow: invalid('has a tensor larger than any file can hold', writeAgain),
  out_of_range: incomplete('ends before its tensors do', copyAgain),
  overlap: invalid('has tensors that overlap', writeAgain),
  gap: invalid('has bytes that belong to no tensor', writeAgain),
  too_many_tensors: invalid('lists more tensors than are accepted', 'Split the checkpoint into shards with an index.'),

  // The index and its shards
  bad_index: invalid('is not a usable index', indexAgain),
  path_escape: invalid('names a shard outside its folder', 'Use an index whose shards are plain file names beside it.'),
  missing_index: incomplete(
    'is one shard of several, without their index',
    'Copy model.safetensors.index.json and all shards into the same folder.',
  ),
  missing_shard: incomplete('names a shard that is not in the folder', 'Copy the missing shard into the folder.'),
  missing_tensor: incomplete('names a tensor that its shard does not hold', indexAgain),
  duplicate_tensor: invalid('has a tensor in two shards', indexAgain),

  // The folder
  empty_folder: incomplete('holds no checkpoint', 'Drop a folder with config.json and model.safetensors.'),
  missing_weights: incomplete(
    'holds no weights',
    'Copy model.safetensors (or the shards and their index) into the folder.',
  ),
  no_tensors: incomplete('holds no tensors', 'Save the model again with save_pretrained.'),
  bad_config: invalid('is not a usable configuration', 'Take config.json from the same checkpoint as the weights.'),
} as const satisfies Record<string, ImportCode>;

export type ImportFaultCode = keyof typeof importCodes;

/** The codes of an accepted path; its text is made from the checkpoint itself. */
export const acceptedCodes = {
  accepted: 'accepted',
  /** Accepted, but some values are NaN or infinite: spectra and training refuse them. */
  nonFinite: 'non_finite',
} as const;

/**
 * The error of a refused checkpoint; its import code is `details.importCode`.
 * @param reason a clause without a full stop
 * @param options.next a better next step than the table's
 */
export function importFault(
  code: ImportFaultCode,
  file: string,
  reason?: string,
  options: { cause?: unknown; next?: string } = {},
): AppError {
  const entry: ImportCode = importCodes[code];
  const facts: FaultFacts = { file: printable(file), ...(reason ? { reason } : {}) };
  const next = options.next ?? (typeof entry.next === 'string' ? entry.next : entry.next(facts));
  const details = { importCode: code, file };
  return new AppError(entry.error, entry.fact(facts), { hint: next, details, cause: options.cause });
}

/** The import code of an error; null when it is not about a checkpoint. */
export function importCodeOf(error: unknown): ImportFaultCode | null {
  const code = error instanceof AppError ? error.details?.['importCode'] : undefined;
  return typeof code === 'string' && Object.hasOwn(importCodes, code) ? (code as ImportFaultCode) : null;
}

/**
 * A name from a file as it may be shown: control, direction and unpaired characters are escaped and the middle of a
 * long name is left out.
 */
export function printable(name: string, longest = 120): string {
  const short = name.length <= longest ? name : `${name.slice(0, longest / 2)}…${name.slice(-longest / 4)}`;
  return short.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

/** The first names of a list, quoted, for a text. */
export function someNames(names: readonly string[], atMost = 3): string {
  const shown = names.slice(0, atMost).map((name) => `"${printable(name, 80)}"`);
  const rest = names.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}
