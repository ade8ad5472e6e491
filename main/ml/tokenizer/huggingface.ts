/**
 * Hugging Face's tokenizers and Jinja behind typed doors: their own declarations leave out file extensions, which Node's
 * way of resolving modules does not find.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export interface TokenizerLibrary {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
}

export const { Tokenizer } = require('@huggingface/tokenizers') as {
  Tokenizer: new (tokenizer: object, config: object) => TokenizerLibrary;
};

export interface JinjaEnvironment {
  set(name: string, value: unknown): unknown;
}

/** What `tokenize` and `parse` make is only passed on. */
interface Opaque {
  readonly type?: unknown;
}

export const { Environment, Interpreter, parse, tokenize } = require('@huggingface/jinja') as {
  Environment: new (parent?: JinjaEnvironment) => JinjaEnvironment;
  Interpreter: new (environment: JinjaEnvironment) => { run(program: Opaque): { value: unknown } };
  parse(tokens: Opaque[]): Opaque;
  tokenize(source: string, options: { trim_blocks: boolean; lstrip_blocks: boolean }): Opaque[];
};
