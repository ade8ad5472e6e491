/** Conversations as tokens with the tokenizers of the fixtures: what is learned, what ends, where a step stands. */
import { beforeAll, describe, expect, test } from 'vitest';
import { ChatCodec } from '../../../../main/ml/text/chatCodec.ts';
import { stepAt } from '../../../../main/ml/tasks/answerText.ts';
import { sftExamples } from '../../../../main/ml/tasks/sftData.ts';
import { openTextTask } from '../../../../main/ml/tasks/textTasks.ts';
import { textTaskNames } from '../../../../main/contract/settings.ts';

const ends = { 'tiny-qwen2': '<|im_end|>', 'tiny-llama': '<|eot_id|>' };

describe.each(Object.entries(ends))('%s', (folder, end) => {
  let codec: ChatCodec;
  beforeAll(async () => {
    codec = await ChatCodec.open(`tests/fixtures/${folder}`);
  });

  test('the end of a turn is the token that the template writes after an answer', () => {
    expect(codec.endOfTurn.map((id) => codec.tokenizer.decode([id]))).toEqual([end]);
    expect(codec.stopIds).toContain(codec.endOfTurn[0]);
  });

  test.each(textTaskNames)('prompt and answer of %s are the rendered conversation, up to the end token', (name) => {
    for (const { prompt, answer } of sftExamples(openTextTask({ name }), 'inDist', 6, 1)) {
      const ids = [...codec.promptIds(prompt), ...codec.answerIds(answer.text)];
      const whole = codec.tokenizer.renderChat([...prompt, { role: 'assistant', content: answer.text }]);
      const text = codec.tokenizer.decode(ids);
      expect(whole.startsWith(text)).toBe(true);
      expect(text.endsWith(answer.text + end)).toBe(true);
      expect(codec.textOf(codec.answerIds(answer.text))).toBe(answer.text);
    }
  });

  test.each(textTaskNames)('every token of %s has the step of its first character', (name) => {
    for (const { answer } of sftExamples(openTextTask({ name }), 'ood', 4, 2)) {
      const ids = codec.textIds(answer.text);
      const starts = ids.map((_, i) => codec.tokenizer.decode(ids.slice(0, i)).length);
      expect(codec.startsOf(ids)).toEqual(starts);
      const steps = codec.stepsOf(answer);
      expect(steps).toEqual([...starts.map((start) => stepAt(answer, start)), 'format']);
      expect(new Set(steps)).toEqual(new Set(['format', 'card', 'number', 'formula']));
    }
  });

  test('characters of several tokens begin with the first of them', () => {
    const text = 'a é 😀 b';
    const ids = codec.textIds(text);
    const starts = codec.startsOf(ids);
    expect(codec.tokenizer.decode(ids)).toBe(text);
    expect(starts[0]).toBe(0);
    for (let i = 1; i < ids.length; i++) {
      expect(starts[i]).toBeGreaterThanOrEqual(starts[i - 1]!);
      const begun = codec.tokenizer.decode(ids.slice(0, i)).replace(/\uFFFD+$/, '');
      expect(text.startsWith(begun)).toBe(true);
      expect(starts[i]).toBe(begun.length);
    }
  });

  test('an answer ends at its first stop token, and special tokens in it are no words', () => {
    const [stop] = codec.endOfTurn as [number];
    const words = codec.textIds('24');
    expect(codec.textOf([...words, stop, ...words])).toBe('24');
    expect(codec.textOf(words)).toBe('24');
  });
});
