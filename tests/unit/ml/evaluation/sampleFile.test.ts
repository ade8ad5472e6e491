/** Kept answers: pages of what was written, plain or compressed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSamples, writeSamples } from '../../../../main/ml/evaluation/sampleFile.ts';
import type { AnswerSample } from '../../../../main/contract/samples.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samples-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const samples = (count: number, words: string): AnswerSample[] =>
  Array.from({ length: count }, (_, episode) => ({
    kind: episode % 5 === 4 ? 'forced' : 'answer',
    split: episode % 2 === 0 ? 'inDist' : 'ood',
    episode,
    keys: { multiset: `${episode}`, ordered: `${episode}` },
    ...{ sample: 0, turn: 0, given: '', ended: true, verdict: 'NO_SOLUTION', reason: 'wrong_value', reward: -1 },
    messages: [{ role: 'user', content: words }],
    answer: `zwölf 🂡 "${episode}"\nnext`,
    correct: episode % 3 === 0,
    ruleSlip: episode % 3 === 1,
  }));

test.each([
  ['plain', 40, 'a', '.jsonl'],
  ['compressed', 3000, 'x'.repeat(2000), '.jsonl.gz'],
] as const)('%s: pages of every filter are what was written', async (_, count, words, ending) => {
  const all = samples(count, words);
  expect((await writeSamples(folder, count, all)).endsWith(ending)).toBe(true);
  const tests = {
    all: () => true,
    right: ({ correct }: AnswerSample) => correct,
    wrong: ({ correct }: AnswerSample) => !correct,
    slip: ({ correct, ruleSlip }: AnswerSample) => !correct && ruleSlip,
  };
  for (const [filter, keep] of Object.entries(tests) as [keyof typeof tests, (sample: AnswerSample) => boolean][]) {
    const expected = all.filter((one) => one.kind === 'answer' && one.split === 'ood' && keep(one));
    const query = { kind: 'answer', split: 'ood', filter, episode: null } as const;
    const page = await readSamples(folder, count, { ...query, offset: 2, limit: 5 });
    expect(page).toEqual({ total: expected.length, samples: expected.slice(2, 7) });
    const third = expected[2]!;
    const ofEpisode = await readSamples(folder, count, { ...query, episode: third.episode, offset: 0, limit: 5 });
    expect(ofEpisode).toEqual({ total: 1, samples: [third] });
  }
});

test('written again they are replaced, also in the other form', async () => {
  const query = { kind: 'answer', split: 'inDist', filter: 'all', episode: null, offset: 0, limit: 1 } as const;
  await writeSamples(folder, 7, samples(3000, 'x'.repeat(2000)));
  await writeSamples(folder, 7, samples(3, 'now'));
  expect((await readSamples(folder, 7, query)).samples[0]!.messages[0]!.content).toBe('now');
});

test('a step without answers and a broken file say so', async () => {
  const query = { kind: 'answer', split: 'ood', filter: 'all', episode: null, offset: 0, limit: 1 } as const;
  await expect(readSamples(folder, 99, query)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await writeFile(join(folder, 'step-000098.jsonl.gz'), 'no gzip');
  await expect(readSamples(folder, 98, query)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
});
