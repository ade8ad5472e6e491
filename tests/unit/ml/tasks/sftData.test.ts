import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlapWithTraining } from '../../../../main/ml/tasks/overlap.ts';
import { readSftLines, sftExamples, sftLine, sftPage } from '../../../../main/ml/tasks/sftData.ts';
import { sftDataText } from '../../../../renderer/features/studies/sftDataExport.ts';
import { textTaskNames } from '../../../../main/contract/settings.ts';
import { openTextTask } from '../../../../main/ml/tasks/textTasks.ts';

const tasks = textTaskNames.map((name) => [name, openTextTask({ name })] as const);

describe.each(tasks)('SFT data of %s', (_, task) => {
  it('are the same at every call, right, and go through JSONL unchanged', () => {
    for (const split of ['inDist', 'ood'] as const) {
      const examples = sftExamples(task, split, 60, 3);
      expect(examples).toHaveLength(60);
      expect(sftExamples(task, split, 60, 3)).toEqual(examples);
      expect(sftExamples(task, split, 25, 3)).toEqual(examples.slice(0, 25));
      expect(sftExamples(task, split, 60, 4)).not.toEqual(examples);
      const text = examples.map((example) => sftLine(example, { task: task.name, split })).join('');
      const read = readSftLines(text.split('\n'));
      expect(read).toMatchObject({ errors: [], errorCount: 0, ignoredLines: 0 });
      expect(read.examples.map(({ prompt, answer }) => [prompt, answer.text])).toEqual(
        examples.map(({ prompt, answer }) => [prompt, answer.text]),
      );
    }
  });
  it('exported page by page are the same lines', async () => {
    const calls: number[] = [];
    const fetchLines: Parameters<typeof sftDataText>[0] = (input) => {
      calls.push(input.examples);
      const { examples, nextEpisode } = sftPage(task, input, input.examples);
      const lines = examples.map((example) => sftLine(example, { task: task.name, split: input.split }));
      return Promise.resolve({ lines, nextEpisode });
    };
    const from = { task: { name: task.name }, split: 'ood' as const, seed: 5 };
    const whole = sftExamples(task, 'ood', 450, 5).map((example) =>
      sftLine(example, { task: task.name, split: 'ood' }),
    );
    expect(await sftDataText(fetchLines, from, 450, () => true)).toBe(whole.join(''));
    expect(Math.max(...calls)).toBeLessThanOrEqual(200);
    expect(await sftDataText(fetchLines, from, 450, (done) => done > 450)).toBe(null);
  });
  it('share nothing with held-out sets; an imported held-out set is found in full', () => {
    const heldOut = [...task.heldOutEpisodes('ood', 100, 1), ...task.heldOutEpisodes('inDist', 100, 1)];
    const own = overlapWithTraining(task, sftExamples(task, 'inDist', 300, 1), heldOut);
    expect(own).toMatchObject({ episodes: 200, sharedMultisets: 0, sharedPrompts: 0, unreadExamples: 0 });
    expect(own.trainingMultisets).toBeGreaterThan(5);
    const leaked = [...heldOut.slice(0, 30).flatMap((episode) => task.examples(episode)), { prompt: [] }];
    const overlap = overlapWithTraining(task, leaked, heldOut);
    expect(overlap.unreadExamples).toBe(1);
    expect(overlap.trainingPrompts).toBe(30);
    expect(overlap.sharedPrompts).toBeGreaterThanOrEqual(30);
    expect(overlap.sharedMultisets).toBeGreaterThanOrEqual(overlap.sharedPrompts);
  });
});

describe('overlap', () => {
  it('tells the same cards in another order from the same prompt', () => {
    const [, task] = tasks[0]!;
    const prompt = (cards: string) => ({ prompt: [{ role: 'user' as const, content: `Cards: [${cards}]` }] });
    const [episode] = task.heldOutEpisodes('ood', 1, 1);
    const cards = episode!.keys.ordered.split(' ').map((card) => `'${card}'`);
    const reversed = overlapWithTraining(task, [prompt(cards.toReversed().join(', '))], [episode!]);
    expect(reversed).toMatchObject({ sharedMultisets: 1, sharedPrompts: 0 });
    expect(overlapWithTraining(task, [prompt(cards.join(', '))], [episode!])).toMatchObject({ sharedPrompts: 1 });
  });
});

describe('imported lines', () => {
  const good = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}';
  it('are read with a system message and turns before the answer, and with foreign fields', () => {
    const line = '{"id": 1, "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "x"}, {"role": "user", "content": "v"}, {"role": "assistant", "content": "y"}]}'; // prettier-ignore
    const { examples } = readSftLines([line, '', '  ', good]);
    expect(examples).toHaveLength(2);
    expect(examples[0]!.prompt.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(examples[0]!.answer).toEqual({ text: 'y', spans: [{ step: 'format', start: 0, end: 1 }], forcedChars: 0 });
  });
  const bad: [string, RegExp][] = [
    ['{', /not JSON/],
    ['[]', /top level/],
    ['{"messages": []}', /At messages/],
    ['{"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}', /messages\.1\.role/],
    ['{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": 3}]}', /messages\.1\.content/],
    [
      '{"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}',
      /last message is the user's/,
    ],
    ['{"messages": [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]}', /no user message/],
    ['{"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "s"}, {"role": "assistant", "content": "b"}]}', /only stand first/], // prettier-ignore
    ['{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}', /answer is empty/],
    [`{"messages": "${'x'.repeat(1_000_001)}"}`, /at most 1000000/],
  ];
  it.each(bad)('are named with their fault: %.40s', (line, message) => {
    const { examples, errors, errorCount } = readSftLines([good, line, good]);
    expect(examples).toHaveLength(2);
    expect(errorCount).toBe(1);
    expect(errors[0]!.line).toBe(2);
    expect(errors[0]!.message).toMatch(message);
  });
  it('are listed up to twenty, and counted all', () => {
    const { errors, errorCount } = readSftLines(Array.from({ length: 500 }, () => 'x'));
    expect(errors).toHaveLength(20);
    expect(errorCount).toBe(500);
  });
  it('never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json(), fc.constant(good)), { maxLength: 20 }), (lines) => {
        const { examples, errorCount } = readSftLines(lines);
        expect(examples.length + errorCount).toBe(lines.filter((line) => line.trim() !== '').length);
      }),
      { numRuns: 200 },
    );
  });
});
