/** Ids, decoded texts, rendered chats and padded batches, exactly as Hugging Face's tokenizers and transformers give them. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ChatMessage } from '../../../main/ml/tokenizer/chatTemplate.ts';
import { TextTokenizer } from '../../../main/ml/tokenizer/textTokenizer.ts';
import { fixturePath, hasFixture, readJson } from '../fixtures.ts';

interface TokenizerReference {
  special: { bos_token: string | null; eos_token: string | null; pad_token: string | null };
  encode: { text: string; ids: number[]; ids_no_special: number[]; decoded: string; decoded_skip_special: string }[];
  chat: { messages: ChatMessage[]; add_generation_prompt: boolean; text: string; ids: number[] }[];
  left_padded_batch: { texts: string[]; input_ids: number[][]; attention_mask: number[][] };
}

const cases = [
  { reference: 'tokenizer-llama.json', folder: 'tiny-llama' },
  { reference: 'tokenizer-llama.json', folder: 'tiny-mllama' },
  { reference: 'tokenizer-qwen.json', folder: 'tiny-qwen2' },
  { reference: 'tokenizer-qwen.json', folder: 'tiny-qwen3' },
].filter(({ reference, folder }) => hasFixture('refs', reference) && hasFixture(folder, 'tokenizer.json'));

describe.each(cases)('$folder', ({ reference, folder }) => {
  const expected = readJson<TokenizerReference>('refs', reference);
  let tokenizer: TextTokenizer;
  beforeAll(async () => {
    tokenizer = await TextTokenizer.open(fixturePath(folder));
  });

  test('special tokens', () => {
    const { bosToken, eosToken, padToken } = tokenizer;
    expect({ bos_token: bosToken, eos_token: eosToken, pad_token: padToken }).toEqual(expected.special);
  });

  test.each(expected.encode)('$text', ({ text, ids, ids_no_special, decoded, decoded_skip_special }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(ids_no_special);
    expect(tokenizer.decode(ids_no_special)).toBe(decoded);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(decoded_skip_special);
  });

  test.each(expected.chat)('chat %#', ({ messages, add_generation_prompt: addGenerationPrompt, text, ids }) => {
    expect(tokenizer.renderChat(messages, { addGenerationPrompt })).toBe(text);
    expect(tokenizer.encodeChat(messages, { addGenerationPrompt })).toEqual(ids);
  });

  test('a left-padded batch', () => {
    const { texts, input_ids, attention_mask } = expected.left_padded_batch;
    const { ids, attentionMask, rows, length } = tokenizer.encodeBatch(texts);
    expect([rows, length]).toEqual([texts.length, input_ids[0]!.length]);
    expect([...ids]).toEqual(input_ids.flat());
    expect([...attentionMask]).toEqual(attention_mask.flat());
  });
});
