/** What the reader of tokenizers does with the miniature's own, with older layouts, and with files that mean harm. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generalPoints3 as makeTask } from '../../../../main/ml/tasks/generalPoints3.ts';
import { parseChatTemplate } from '../../../../main/ml/tokenizer/chatTemplate.ts';
import { withDeadline } from '../../../../main/ml/tokenizer/deadline.ts';
import { TextTokenizer } from '../../../../main/ml/tokenizer/textTokenizer.ts';
import { wordLevelTokenizer } from '../../../../main/ml/tokenizer/wordLevelTokenizer.ts';

const generalPoints3 = makeTask();

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'rotascope-tokenizer-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function folderWith(files: Record<string, unknown>): Promise<string> {
  const folder = await mkdtemp(join(scratch, 'case-'));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

const llama = async (name: string): Promise<string> => readFile(`tests/fixtures/tiny-llama/${name}`, 'utf8');

test('the miniature: every word is its token, there and back', async () => {
  const { tokenizer, tokenizerConfig } = wordLevelTokenizer(generalPoints3);
  const folder = await folderWith({ 'tokenizer.json': tokenizer, 'tokenizer_config.json': tokenizerConfig });
  const opened = await TextTokenizer.open(folder);
  const words = generalPoints3.vocabulary;
  const all = words.map((_, id) => id);
  expect(opened.encode(words.join(' '))).toEqual(all);
  expect(opened.decode(all)).toBe(words.join(' '));
  expect(opened.padId).toBe(generalPoints3.padId);
  expect(opened.idOf(words[generalPoints3.eosId]!)).toBe(generalPoints3.eosId);
  expect(opened.hasChatTemplate).toBe(false);
  expect(() => opened.renderChat([])).toThrow(expect.objectContaining({ code: 'CHECKPOINT_INCOMPLETE' }));
});

test('the template of older checkpoints is in tokenizer_config.json, alone or named', async () => {
  const messages = [{ role: 'user', content: 'Cards' }];
  const template = await llama('chat_template.jinja');
  const expected = (await TextTokenizer.open('tests/fixtures/tiny-llama')).renderChat(messages);
  const config = JSON.parse(await llama('tokenizer_config.json')) as object;
  for (const chat_template of [
    template,
    [
      { name: 'tool_use', template: 'x' },
      { name: 'default', template },
    ],
  ]) {
    const folder = await folderWith({
      'tokenizer.json': await llama('tokenizer.json'),
      'tokenizer_config.json': { ...config, bos_token: { content: '<|begin_of_text|>' }, chat_template },
    });
    expect((await TextTokenizer.open(folder)).renderChat(messages)).toBe(expected);
  }
});

test.each([
  [{}, 'CHECKPOINT_INCOMPLETE', 'tokenizer.json'],
  [{ 'tokenizer.json': '{' }, 'CHECKPOINT_INVALID', 'tokenizer.json'],
  [{ 'tokenizer.json': { model: { vocab: 3 } } }, 'CHECKPOINT_INVALID', 'model.vocab'],
  [{ 'tokenizer.json': { model: { type: 'Other', vocab: {} } } }, 'CHECKPOINT_UNSUPPORTED', 'tokenizer.json'],
])('files that are missing or wrong are named: %j', async (files, code, named) => {
  const opening = TextTokenizer.open(await folderWith(files));
  await expect(opening).rejects.toMatchObject({ code });
  await expect(opening).rejects.toThrow(named);
});

test('a template that is too long, loops for ever, or asks for too many numbers is stopped', () => {
  expect(() => parseChatTemplate('x'.repeat(300_000))).toThrow('characters');
  expect(() => parseChatTemplate('{% for')).toThrow(expect.objectContaining({ code: 'CHECKPOINT_INVALID' }));
  const many = parseChatTemplate('{% for i in range(1000000000000) %}x{% endfor %}');
  expect(() => many.render([], {})).toThrow('range');
  const nested = '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}';
  const start = performance.now();
  expect(() => parseChatTemplate(nested).render([], {})).toThrow(expect.objectContaining({ code: 'CHECKPOINT_INVALID' })); // prettier-ignore
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('a template that refuses the messages says why; functions of the program are out of its reach', () => {
  const refusing = parseChatTemplate("{{ raise_exception('roles must alternate') }}");
  expect(() => refusing.render([], {})).toThrow('roles must alternate');
  const reaching = parseChatTemplate("{{ messages.constructor.constructor('return process')() }}");
  expect(() => reaching.render([], {})).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
});

test('a regular expression without end is stopped', () => {
  const endless = (): boolean => /^(a+)+$/.test(`${'a'.repeat(60)}b`);
  expect(() => withDeadline('It', 200, endless)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_INVALID' }));
  expect(withDeadline('It', 200, () => 3)).toBe(3);
  expect(() => withDeadline('It', 200, () => { throw new TypeError('own'); })).toThrow('own'); // prettier-ignore
});
