/**
 * The tokenizer files of a Hugging Face folder for a task with a closed vocabulary: one token a word, split at blanks.
 * @returns the contents of `tokenizer.json` and `tokenizer_config.json`
 */
export function wordLevelTokenizer(task: {
  vocabulary: readonly string[];
  padId: number;
  bosId: number;
  eosId: number;
}): { tokenizer: Record<string, unknown>; tokenizerConfig: Record<string, unknown> } {
  const text = (id: number): string => task.vocabulary[id]!;
  const special = task.vocabulary.flatMap((content, id) =>
    /^<.*>$/.test(content)
      ? [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }]
      : [],
  );
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: special,
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: null,
      decoder: null,
      model: {
        type: 'WordLevel',
        vocab: Object.fromEntries(task.vocabulary.map((content, id) => [content, id])),
        unk_token: text(task.padId),
      },
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: text(task.bosId),
      eos_token: text(task.eosId),
      pad_token: text(task.padId),
      clean_up_tokenization_spaces: false,
    },
  };
}
