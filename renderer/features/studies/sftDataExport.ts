/** The generated SFT data of a task as one JSONL text, fetched some episodes at a time. */
import type { CallAnswer, CallInput } from '../../../main/contract/api.ts';

type Lines = (input: CallInput<'sftData.lines'>) => Promise<CallAnswer<'sftData.lines'>>;

/** More are written by the command line: a page holds the whole text. */
export const mostExported = 100_000;
const linesOfCall = 200;

/**
 * @param count lines, at most `mostExported`
 * @param onProgress lines so far; false: enough
 * @returns the first `count` lines that a study with this task and seed learns from; null when it was enough
 */
export async function sftDataText(
  fetchLines: Lines,
  from: Pick<CallInput<'sftData.lines'>, 'task' | 'split' | 'seed'>,
  count: number,
  onProgress: (done: number) => boolean,
): Promise<string | null> {
  const lines: string[] = [];
  for (let episode = 0; lines.length < count;) {
    const examples = Math.min(linesOfCall, count - lines.length);
    const page = await fetchLines({ ...from, episode, examples });
    for (const line of page.lines) lines.push(line);
    episode = page.nextEpisode;
    if (!onProgress(Math.min(count, lines.length))) return null;
  }
  return lines.slice(0, count).join('');
}
