/**
 * The tokenizer of a Hugging Face folder: `tokenizer.json` by Hugging Face's own library, special tokens and the chat
 * template from the files beside it. All of them are read within limits, and what they describe runs under a deadline.
 */
import { AppError } from '../../contract/errors.ts';
import { chatRenderer, type RenderChat } from './chatRenderer.ts';
import type { ChatMessage } from './chatTemplate.ts';
import { withDeadline } from './deadline.ts';
import { Tokenizer, type TokenizerLibrary } from './huggingface.ts';
import { contentOf, readTokenizerFiles, sameCheckpoint, type TokenizerFiles } from './tokenizerFiles.ts';

const openMs = 60_000;
const encodeMs = 30_000;

/** A batch of texts, left-padded to the longest. */
export interface TokenBatch {
  rows: number;
  /** Tokens of a row. */
  length: number;
  /** Row-major [rows, length] */
  ids: Int32Array;
  /** 1 = token, 0 = padding, [rows, length] */
  attentionMask: Int32Array;
}

export class TextTokenizer {
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  readonly padToken: string | null;
  readonly hasChatTemplate: boolean;
  readonly #library: TokenizerLibrary;
  readonly #render: RenderChat;

  /** @param files as `readTokenizerFiles` gives them */
  constructor({ tokenizer, config, template }: TokenizerFiles) {
    this.#library = withDeadline('Building the tokenizer', openMs, () => {
      try {
        return new Tokenizer(tokenizer, config);
      } catch (error) {
        const message = `tokenizer.json: ${error instanceof Error ? error.message : String(error)}.`;
        throw new AppError('CHECKPOINT_UNSUPPORTED', message, { hint: sameCheckpoint, cause: error });
      }
    });
    this.#render = chatRenderer({ config, template });
    this.hasChatTemplate = template !== null;
    this.bosToken = contentOf(config.bos_token);
    this.eosToken = contentOf(config.eos_token);
    this.padToken = contentOf(config.pad_token);
  }

  /** @param folder with tokenizer.json. @throws CHECKPOINT_INCOMPLETE | CHECKPOINT_INVALID | CHECKPOINT_UNSUPPORTED */
  static async open(folder: string): Promise<TextTokenizer> {
    return new TextTokenizer(await readTokenizerFiles(folder));
  }

  /** null: there is no such token. */
  idOf(token: string): number | null {
    return this.#library.token_to_id(token) ?? null;
  }

  /** What rows are filled up with: the padding token, or else the end token, which a mask hides. */
  get padId(): number {
    const id = this.idOf(this.padToken ?? this.eosToken ?? '');
    if (id !== null) return id;
    throw new AppError('CHECKPOINT_INVALID', 'The tokenizer names neither a padding nor an end token.', {
      hint: 'Add "pad_token" to tokenizer_config.json.',
    });
  }

  /** @param options.addSpecialTokens what the tokenizer puts around a text (Llama's BOS): yes unless told otherwise */
  encode(text: string, options: { addSpecialTokens?: boolean } = {}): number[] {
    return withDeadline('The tokenizer', encodeMs, () => this.#encode(text, options.addSpecialTokens ?? true));
  }

  #encode(text: string, addSpecialTokens: boolean): number[] {
    return this.#library.encode(text, { add_special_tokens: addSpecialTokens }).ids;
  }

  /** @param options.skipSpecialTokens they are written out unless told otherwise */
  decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    if (ids.length === 0) return '';
    return withDeadline('The tokenizer', encodeMs, () =>
      this.#library.decode(Array.from(ids), {
        skip_special_tokens: options.skipSpecialTokens ?? false,
        clean_up_tokenization_spaces: false,
      }),
    );
  }

  /** Texts of a batch, left-padded so that the last tokens stand in one column. */
  encodeBatch(texts: readonly string[], options: { addSpecialTokens?: boolean } = {}): TokenBatch {
    const { addSpecialTokens = true } = options;
    const rows = withDeadline('The tokenizer', encodeMs, () =>
      texts.map((text) => this.#encode(text, addSpecialTokens)),
    );
    return leftPadded(rows, this.padId);
  }

  /** As `RenderChat`. */
  renderChat(messages: readonly ChatMessage[], options: { addGenerationPrompt?: boolean } = {}): string {
    return this.#render(messages, options);
  }

  /** Ids of a rendered conversation; the template writes the special tokens itself. */
  encodeChat(messages: readonly ChatMessage[], options: { addGenerationPrompt?: boolean } = {}): number[] {
    return this.encode(this.renderChat(messages, options), { addSpecialTokens: false });
  }
}

/**
 * @param atLeast tokens of a row, where the longest has fewer
 * @throws INVALID_REQUEST there is no row, or no token in any
 */
export function leftPadded(rows: readonly (readonly number[])[], padId: number, atLeast = 0): TokenBatch {
  const length = rows.reduce((longest, row) => Math.max(longest, row.length), atLeast);
  if (length === 0) throw new AppError('INVALID_REQUEST', 'There are no tokens to make a batch of.');
  const ids = new Int32Array(rows.length * length).fill(padId);
  const attentionMask = new Int32Array(rows.length * length);
  rows.forEach((row, index) => {
    const start = (index + 1) * length - row.length;
    ids.set(row, start);
    attentionMask.fill(1, start, start + row.length);
  });
  return { rows: rows.length, length, ids, attentionMask };
}
