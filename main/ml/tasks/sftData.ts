/**
 * SFT data of a task: generated from a seed, written and read as JSONL, one {"messages": [...]} a line as trainers take
 * it: the last message is the assistant's and is what is learned. A line of ours also says `task` and `split`; both are
 * optional on import and other fields are ignored. An imported answer has no steps: all of it counts as `format`.
 */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { Philox } from '../random/philox.ts';
import { writeAnswer } from './answerText.ts';
import type { Split } from './task.ts';
import type { TextExample, TextTask } from './textTask.ts';

/**
 * The first `count` examples of a stream of training episodes: single prompts with their right answer, as published (a
 * route gives one at every point). Equal (task settings, split, count, seed) give equal examples.
 */
export function sftExamples(task: TextTask, split: Split, count: number, seed: number): TextExample[] {
  return sftPage(task, { split, seed, episode: 0 }, count).examples.slice(0, count);
}

/** A point in the stream of training episodes of a task. */
export interface SftPlace {
  split: Split;
  seed: number;
  /** Index of the next episode. */
  episode: number;
}

/** The examples of whole episodes from a place on, at least `count`, and the place after them. */
export function sftPage(
  task: TextTask,
  { split, seed, episode }: SftPlace,
  count: number,
): { examples: TextExample[]; nextEpisode: number } {
  const examples: TextExample[] = [];
  let next = episode;
  for (; examples.length < count; next++)
    examples.push(...task.examples(task.trainingEpisode(split, new Philox(seed, 'sft', task.name, split, next))));
  return { examples, nextEpisode: next };
}

/** One line, with its end. */
export function sftLine({ prompt, answer }: TextExample, from: { task: string; split: Split }): string {
  const messages = [...prompt, { role: 'assistant', content: answer.text }];
  return `${JSON.stringify({ messages, ...from })}\n`;
}

/** One bad line is a slip of the file; a file of them is the wrong file. */
const mostErrors = 20;
const mostExamples = 1_000_000;
const longestLineChars = 1_000_000;
const mostMessages = 64;
/** A JavaScript string holds no more. */
const mostBytes = 500e6;

const lineSchema = z.object({
  messages: z
    .array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
    .min(2)
    .max(mostMessages),
});

export interface SftImport {
  examples: TextExample[];
  /** Lines from 1; the first 20. Examples of good lines are there all the same. */
  errors: { line: number; message: string }[];
  errorCount: number;
  /** Lines past the most that are read. */
  ignoredLines: number;
}

/** @param lines without their ends; empty ones are skipped */
export function readSftLines(lines: Iterable<string>): SftImport {
  const found: SftImport = { examples: [], errors: [], errorCount: 0, ignoredLines: 0 };
  let line = 0;
  for (const text of lines) {
    line++;
    if (text.trim() === '') continue;
    if (found.examples.length >= mostExamples) {
      found.ignoredLines++;
      continue;
    }
    const example = readLine(text);
    if (typeof example !== 'string') {
      found.examples.push(example);
      continue;
    }
    found.errorCount++;
    if (found.errors.length < mostErrors) found.errors.push({ line, message: example });
  }
  return found;
}

/**
 * @param path of a JSONL file
 * @throws NOT_FOUND | INVALID_REQUEST it is no file, or larger than is read
 */
export async function readSftFile(path: string): Promise<SftImport> {
  let size: number;
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error(`${path} is a folder.`);
    ({ size } = found);
  } catch (cause) {
    throw new AppError('NOT_FOUND', `There is no file ${path}.`, { hint: 'Give the path of a JSONL file.', cause });
  }
  if (size > mostBytes)
    throw new AppError('INVALID_REQUEST', `${path} has ${size} bytes; at most ${mostBytes} are read.`, {
      hint: 'Split it, or take its first part.',
    });
  return readSftLines((await readFile(path, 'utf8')).split(/\r?\n/));
}

/** The example of a line, or what is wrong with it. */
function readLine(text: string): TextExample | string {
  if (text.length > longestLineChars) return `The line has ${text.length} characters; at most ${longestLineChars} are read.`; // prettier-ignore
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `The line is not JSON: ${(error as Error).message}.`;
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return `At ${path.join('.') || 'the top level'}: ${message}.`;
  }
  const prompt = parsed.data.messages.slice(0, -1);
  const last = parsed.data.messages.at(-1)!;
  if (last.role !== 'assistant') return `The last message is the ${last.role}'s; it has to be the assistant's answer.`;
  if (last.content === '') return 'The answer is empty.';
  if (!prompt.some(({ role }) => role === 'user')) return 'There is no user message before the answer.';
  if (prompt.slice(1).some(({ role }) => role === 'system')) return 'A system message can only stand first.';
  return { prompt, answer: writeAnswer([['format', last.content]]) };
}
