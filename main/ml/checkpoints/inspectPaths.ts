/**
 * Looks at any mix of paths and says of each what an import would do. Bad ones do not keep good ones from being
 * accepted, and nothing a file says makes this throw.
 */
import { resolve } from 'node:path';
import type { ImportVerdict } from '../../contract/api.ts';
import type { AppError } from '../../contract/errors.ts';
import { describe, modelWarnings, type CheckpointDescription } from './describeCheckpoint.ts';
import { type Found, findCheckpoints } from './findCheckpoints.ts';
import { acceptedCodes, importCodeOf, importFault, printable } from './importCodes.ts';
import { type Checkpoint, openCheckpointAt } from './openCheckpoint.ts';
import { placeInRun } from './trajectory.ts';
import { type OddValues, maxScannedBytes, scanValues } from './valueScan.ts';

/**
 * @param paths folders (searched for checkpoints), indexes, shards, files; relative ones from the working folder
 * @returns one verdict a checkpoint or refused path, in the order given; the same checkpoint once
 */
export async function inspectPaths(paths: readonly string[]): Promise<ImportVerdict[]> {
  const verdicts = new Map<string, ImportVerdict>();
  for (const path of paths) {
    for (const found of await findCheckpoints(resolve(path))) {
      const key = 'place' in found ? found.place.location : found.path;
      if (!verdicts.has(key)) verdicts.set(key, await verdictOn(found));
    }
  }
  return [...verdicts.values()];
}

async function verdictOn(found: Found): Promise<ImportVerdict> {
  if ('fault' in found) return refused(found.path, found.fault);
  try {
    const checkpoint = await openCheckpointAt(found.place);
    try {
      return await accepted(found.path, checkpoint);
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    return refused(found.path, error);
  }
}

function refused(path: string, error: unknown): ImportVerdict {
  const known = importCodeOf(error) !== null;
  const fault = known ? (error as AppError) : importFault('not_examined', path, String(error), { cause: error });
  const text = [fault.message, fault.hint].join(' ');
  const code = importCodeOf(fault) ?? 'not_examined';
  return { path, verdict: 'rejected', code, text, warnings: [], summary: null, checkpointId: null };
}

async function accepted(path: string, checkpoint: Checkpoint): Promise<ImportVerdict> {
  const description = describe(checkpoint);
  const { architecture, parameters, bytes, tensors, files } = description;
  const odd = await scanValues(checkpoint);
  const nonFinite = (odd ?? []).some(({ nan, infinite }) => nan + infinite > 0);
  return {
    path,
    verdict: 'accepted',
    code: nonFinite ? acceptedCodes.nonFinite : acceptedCodes.accepted,
    text: acceptedText(description, odd),
    warnings: [...checkpoint.warnings, ...modelWarnings(checkpoint), ...oddValueWarnings(odd ?? [])],
    summary: { architecture, parameters, bytes, tensors, files, step: placeInRun(checkpoint.place)?.step ?? null },
    checkpointId: null,
  };
}

/** "LlamaForCausalLM, 176,832 parameters in 30 tensors (BF16), 1 file of 355 kB, with tokenizer. All values are finite." */
function acceptedText(description: CheckpointDescription, odd: OddValues[] | null): string {
  const { architecture, parameters, tensors, dtypes, files, bytes, hasTokenizer } = description;
  const kind = architecture === 'unknown' ? 'Weights of an unknown architecture' : printable(architecture);
  const count = (n: number, word: string): string => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
  const facts = [
    kind,
    `${count(parameters, 'parameter')} in ${count(tensors, 'tensor')}${dtypes.length > 0 ? ` (${dtypes.join(', ')})` : ''}`,
    `${formatBytes(bytes)} in ${count(files, 'file')}`,
    hasTokenizer ? 'with tokenizer' : 'without tokenizer',
  ];
  return `${facts.join(', ')}. ${scanText(odd)}`;
}

function scanText(odd: OddValues[] | null): string {
  if (odd === null) return `Not checked for NaN and infinity, being over ${formatBytes(maxScannedBytes)}.`;
  return odd.some(({ nan, infinite }) => nan + infinite > 0) ? 'Some values are not finite.' : 'All values are finite.';
}

/** At most five tensors by name. */
function oddValueWarnings(odd: readonly OddValues[]): string[] {
  const shown = odd.slice(0, 5).map(({ tensor, nan, infinite, notBoolean }) => {
    const quoted = `"${printable(tensor)}"`;
    if (notBoolean > 0) return `${quoted} is BOOL and has ${notBoolean} values other than 0 and 1.`;
    return `${quoted} has ${nan} NaN and ${infinite} infinite values: spectra and training refuse it.`;
  });
  return odd.length > shown.length ? [...shown, `${odd.length - shown.length} more tensors have such values.`] : shown;
}

function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const step = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${value.toLocaleString('en', { maximumSignificantDigits: step === 0 ? 4 : 3 })} ${units[step]}`;
}
