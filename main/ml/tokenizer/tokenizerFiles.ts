/** The files that say how a checkpoint is spoken to: tokenizer.json, tokenizer_config.json, chat_template.jinja. Untrusted. */
import { realpath } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { fileOfFolder, readTextFile } from '../checkpoints/folderFiles.ts';

/** The largest ones (Gemma, 256,000 tokens) have 35 MB. */
const maxTokenizerBytes = 128 * 1024 * 1024;
const maxConfigBytes = 4 * 1024 * 1024;

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
export type TokenizerConfig = z.infer<typeof configSchema>;

export interface ChatFiles {
  /** `tokenizer_config.json`, empty when there is none */
  config: TokenizerConfig;
  /** Jinja; null when there is none */
  template: string | null;
}

export interface TokenizerFiles extends ChatFiles {
  /** `tokenizer.json` */
  tokenizer: object;
}

export const sameCheckpoint = 'Take tokenizer.json and tokenizer_config.json from the same checkpoint.';

async function textReader(folder: string): Promise<(name: string, maxBytes: number) => Promise<string | null>> {
  const root = await realpath(folder).catch(() => folder);
  return async (name, maxBytes) => {
    const path = await fileOfFolder(root, name);
    return path === null ? null : readTextFile(path, name, maxBytes, 'bad_config');
  };
}

/** Without tokenizer.json, whose megabytes take their time. @throws CHECKPOINT_INVALID */
export async function readChatFiles(folder: string): Promise<ChatFiles> {
  const text = await textReader(folder);
  const config = parsed('tokenizer_config.json', (await text('tokenizer_config.json', maxConfigBytes)) ?? '{}', configSchema); // prettier-ignore
  const separate = await text('chat_template.jinja', maxConfigBytes);
  return { config, template: separate ?? namedTemplate(config.chat_template) };
}

/** @throws CHECKPOINT_INCOMPLETE there is no tokenizer.json; CHECKPOINT_INVALID */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const text = await textReader(folder);
  const tokenizer = await text('tokenizer.json', maxTokenizerBytes);
  if (tokenizer === null) {
    throw new AppError('CHECKPOINT_INCOMPLETE', `${folder} has no tokenizer.json.`, {
      hint: 'Save the tokenizer with save_pretrained of a fast tokenizer, or copy tokenizer.json.',
    });
  }
  return { ...(await readChatFiles(folder)), tokenizer: parsed('tokenizer.json', tokenizer, tokenizerSchema) };
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

/** What a special token is written as; null: there is none. */
export const contentOf = (token: z.infer<typeof specialToken>): string | null => {
  return typeof token === 'string' ? token : (token?.content ?? null);
};
