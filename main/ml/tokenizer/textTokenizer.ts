/**
 * The tokenizer of a Hugging Face folder: `tokenizer.json` by Hugging Face's own library, special tokens and the chat
 * template from the files beside it. All of them are read within limits, and what they describe runs under a deadline.
 */
import { realpath } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { fileOfFolder, readTextFile } from '../checkpoints/folderFiles.ts';
import { type ChatMessage, type ChatTemplate, parseChatTemplate } from './chatTemplate.ts';
import { withDeadline } from './deadline.ts';
import { Tokenizer, type TokenizerLibrary } from './huggingface.ts';

/** The largest ones (Gemma, 256,000 tokens) have 35 MB. */
const maxTokenizerBytes = 128 * 1024 * 1024;
const maxConfigBytes = 4 * 1024 * 1024;
const openMs = 60_000;
const encodeMs = 30_000;

const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.string().nullish(), vocab: z.union([z.record(z.string(), z.number()), z.array(z.unknown())]) }),
  added_tokens: z.array(z.looseObject({ id: z.number().int().nonnegative(), content: z.string() })).nullish(),
}); // prettier-ignore
const specialToken = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const configSchema = z.looseObject({
  bos_token: specialToken,
  eos_token: specialToken,
  pad_token: specialToken,
  unk_token: specialToken,
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).nullish(),
});
type TokenizerConfig = z.infer<typeof configSchema>;

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
  readonly #library: TokenizerLibrary;
  readonly #config: TokenizerConfig;
  readonly #template: ChatTemplate | null;

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
    this.#config = config;
    this.#template = template === null ? null : parseChatTemplate(template);
    this.bosToken = contentOf(config.bos_token);
    this.eosToken = contentOf(config.eos_token);
    this.padToken = contentOf(config.pad_token);
  }

  /** @param folder with tokenizer.json. @throws CHECKPOINT_INCOMPLETE | CHECKPOINT_INVALID | CHECKPOINT_UNSUPPORTED */
  static async open(folder: string): Promise<TextTokenizer> {
    return new TextTokenizer(await readTokenizerFiles(folder));
  }

  get hasChatTemplate(): boolean {
    return this.#template !== null;
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

  /**
   * A conversation as the model reads it.
   * @throws CHECKPOINT_INCOMPLETE the checkpoint has no chat template; INVALID_REQUEST it refuses these messages
   */
  renderChat(messages: readonly ChatMessage[], options: { addGenerationPrompt?: boolean } = {}): string {
    if (this.#template === null) {
      throw new AppError('CHECKPOINT_INCOMPLETE', 'The checkpoint has no chat template.', {
        hint: 'Add chat_template.jinja of the instruction-tuned model, or use a plain prompt.',
      });
    }
    const special = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;
    const known = special.flatMap((name) => {
      const content = contentOf(this.#config[name]);
      return content === null ? [] : [[name, content] as const];
    });
    const variables = { add_generation_prompt: options.addGenerationPrompt ?? false, tools: null, documents: null };
    return this.#template.render(messages, { ...Object.fromEntries(known), ...variables });
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

interface TokenizerFiles {
  /** `tokenizer.json` */
  tokenizer: object;
  /** `tokenizer_config.json`, empty when there is none */
  config: TokenizerConfig;
  /** Jinja; null when there is none */
  template: string | null;
}

const sameCheckpoint = 'Take tokenizer.json and tokenizer_config.json from the same checkpoint.';

type FileReader = (name: string, maxBytes: number) => Promise<string | null>;

async function readerOf(folder: string): Promise<FileReader> {
  const root = await realpath(folder).catch(() => folder);
  return async (name, maxBytes) => {
    const path = await fileOfFolder(root, name);
    return path === null ? null : readTextFile(path, name, maxBytes, 'bad_config');
  };
}

async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const text = await readerOf(folder);
  const tokenizer = await text('tokenizer.json', maxTokenizerBytes);
  if (tokenizer === null) {
    throw new AppError('CHECKPOINT_INCOMPLETE', `${folder} has no tokenizer.json.`, {
      hint: 'Save the tokenizer with save_pretrained of a fast tokenizer, or copy tokenizer.json.',
    });
  }
  return { tokenizer: parsed('tokenizer.json', tokenizer, tokenizerSchema), ...(await readTemplate(text)) };
}

async function readTemplate(text: FileReader): Promise<Pick<TokenizerFiles, 'config' | 'template'>> {
  const config = parsed('tokenizer_config.json', (await text('tokenizer_config.json', maxConfigBytes)) ?? '{}', configSchema); // prettier-ignore
  const separate = await text('chat_template.jinja', maxConfigBytes);
  return { config, template: separate ?? namedTemplate(config.chat_template) };
}

/** Whether the folder has a chat template, without the tokenizer, which is slow to read. @throws CHECKPOINT_INVALID */
export async function hasChatTemplate(folder: string): Promise<boolean> {
  return (await readTemplate(await readerOf(folder))).template !== null;
}

/** Of several named templates the one called "default". */
function namedTemplate(template: TokenizerConfig['chat_template']): string | null {
  if (template === null || template === undefined || typeof template === 'string') return template ?? null;
  return template.find(({ name }) => name === 'default')?.template ?? null;
}

function parsed<T>(name: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new AppError('CHECKPOINT_INVALID', `${name} is not JSON.`, { hint: sameCheckpoint, cause: error });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const where = issue.path.join('.') || 'the file';
  throw new AppError('CHECKPOINT_INVALID', `${name}: ${where}: ${issue.message}.`, { hint: sameCheckpoint });
}

const contentOf = (token: z.infer<typeof specialToken>): string | null => {
  return typeof token === 'string' ? token : (token?.content ?? null);
};
