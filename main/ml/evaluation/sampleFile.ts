/**
 * Every answer of an evaluation on disk: one JSON object a line, a file for each checkpoint (by its step) and each point of
 * a sweep (by its content), compressed when it is large.
 * A file is there whole or not at all; written again it is replaced.
 */
import { readFile, readdir, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { AppError } from '../../contract/errors.ts';
import type { AnswerSample, SampledAt, SampleFilter, SampleQuery } from '../../contract/samples.ts';

/** Above this a file is compressed, bytes. */
const plainBytes = 4e6;
/** A file that says it is larger is none of ours, bytes. */
const mostBytes = 2e9;

/** Steps whose answers were kept, ascending. */
export async function keptSteps(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const steps = names.flatMap((name) => /^step-(\d+)\.jsonl(?:\.gz)?$/.exec(name)?.[1] ?? []).map(Number);
  return [...new Set(steps)].sort((a, b) => a - b);
}

const fileName = (at: SampledAt): string =>
  typeof at === 'number' ? `step-${String(at).padStart(6, '0')}.jsonl` : `${at}.jsonl`;

/** @returns the path that was written */
export async function writeSamples(folder: string, at: SampledAt, samples: readonly AnswerSample[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const text = Buffer.from(samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
  const plain = join(folder, fileName(at));
  const [path, other] = text.length > plainBytes ? [`${plain}.gz`, plain] : [plain, `${plain}.gz`];
  const partial = `${path}.partial`;
  await writeFile(partial, text.length > plainBytes ? await promisify(gzip)(text) : text);
  await rename(partial, path);
  await rm(other, { force: true });
  return path;
}

/**
 * A page of the answers of a checkpoint or of a point.
 * @throws NOT_FOUND no answers were kept of it; CHECKPOINT_INVALID the file cannot be read
 */
export async function readSamples(
  folder: string,
  at: SampledAt,
  { kind, split, filter, episode, offset, limit }: SampleQuery,
): Promise<{ total: number; samples: AnswerSample[] }> {
  const text = await readWhole(join(folder, fileName(at)));
  const passing: AnswerSample[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const sample = JSON.parse(line) as AnswerSample;
    if (sample.kind !== kind || sample.split !== split) continue;
    if ((episode === null || sample.episode === episode) && passes(sample, filter)) passing.push(sample);
  }
  return { total: passing.length, samples: passing.slice(offset, offset + limit) };
}

function passes({ correct, ruleSlip }: AnswerSample, filter: SampleFilter): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'right':
      return correct;
    case 'wrong':
      return !correct;
    case 'slip':
      return !correct && ruleSlip;
  }
}

async function readWhole(path: string): Promise<string> {
  const bytes = (await contentOf(path)) ?? (await contentOf(`${path}.gz`));
  if (bytes === null)
    throw new AppError('NOT_FOUND', `No answers were kept of this evaluation (${path}).`, {
      hint: 'Choose another one that was evaluated, or run the job again.',
    });
  return bytes.toString('utf8');
}

async function contentOf(path: string): Promise<Buffer | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (!path.endsWith('.gz')) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: mostBytes });
  } catch (cause) {
    throw new AppError('CHECKPOINT_INVALID', `The kept answers in ${path} cannot be read.`, {
      hint: 'Run the job again to write them anew.',
      cause,
    });
  }
}
