/**
 * Conversations as tokens, and answers back as text, by a checkpoint's own tokenizer and chat template.
 *
 * A prompt ends where the template lets the assistant begin. An answer is tokenised by itself, because that is how it is
 * generated, and is followed by what the template puts after an assistant's turn, up to the token that ends it: that
 * token is learned with the answer, and ends it when the model writes it.
 */
import { realpath } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { fileOfFolder, readTextFile } from '../checkpoints/folderFiles.ts';
import { stepAt } from '../tasks/answerText.ts';
import type { AnswerStep } from '../tasks/task.ts';
import type { Message, ReferenceAnswer } from '../tasks/textTask.ts';
import { TextTokenizer } from '../tokenizer/textTokenizer.ts';

const generationConfigName = 'generation_config.json';
const maxConfigBytes = 1024 * 1024;
const endIdsSchema = z.looseObject({
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
});

/** Stands for an answer where only what follows it is wanted; no template changes it. */
const probe = 'rotascope';

export class ChatCodec {
  readonly tokenizer: TextTokenizer;
  /** Written after every answer; the last one ends it. */
  readonly endOfTurn: readonly number[];
  /** Any of these ends a generated answer. */
  readonly stopIds: readonly number[];
  readonly padId: number;
  /** Characters of each token by itself; null: no whole characters. */
  readonly #pieces = new Map<number, string | null>();

  /**
   * @param endIds the end tokens that the checkpoint's configuration names
   * @throws CHECKPOINT_INCOMPLETE no chat template; CHECKPOINT_UNSUPPORTED nothing marks the end of an answer
   */
  constructor(tokenizer: TextTokenizer, endIds: readonly number[]) {
    const eos = tokenizer.eosToken === null ? null : tokenizer.idOf(tokenizer.eosToken);
    const known = new Set(eos === null ? endIds : [...endIds, eos]);
    this.tokenizer = tokenizer;
    this.endOfTurn = endOfTurn(tokenizer, known);
    this.stopIds = [...new Set([...known, this.endOfTurn.at(-1)!])];
    this.padId = tokenizer.padId;
  }

  /** @param folder of a checkpoint with tokenizer.json and a chat template */
  static async open(folder: string): Promise<ChatCodec> {
    return new ChatCodec(await TextTokenizer.open(folder), await configuredEnds(folder));
  }

  /** @throws INVALID_REQUEST the template refuses these messages */
  promptIds(messages: readonly Message[]): number[] {
    return this.tokenizer.encodeChat(messages, { addGenerationPrompt: true });
  }

  /** The tokens of a text, without anything around it. */
  textIds(text: string): number[] {
    return text === '' ? [] : this.tokenizer.encode(text, { addSpecialTokens: false });
  }

  /** What the model has to write for this answer, its end included. */
  answerIds(text: string): number[] {
    return [...this.textIds(text), ...this.endOfTurn];
  }

  /** A generated answer in text: what stands before its end. */
  textOf(ids: ArrayLike<number>): string {
    const all = Array.from(ids);
    const end = all.findIndex((id) => this.stopIds.includes(id));
    return this.tokenizer.decode(end < 0 ? all : all.slice(0, end), { skipSpecialTokens: true });
  }

  /** The step of every token of `answerIds(answer.text)`: that of its first character, `format` for the end. */
  stepsOf(answer: ReferenceAnswer): AnswerStep[] {
    const ids = this.textIds(answer.text);
    const steps = this.startsOf(ids).map((start) => stepAt(answer, start));
    return [...steps, ...this.endOfTurn.map((): AnswerStep => 'format')];
  }

  /** Where each token begins in the text that all of them make, in UTF-16 units. */
  startsOf(ids: readonly number[]): number[] {
    const pieces = ids.map((id) => this.#piece(id));
    if (pieces.every((piece) => piece !== null) && pieces.join('') === this.tokenizer.decode(ids)) {
      let at = 0;
      return pieces.map((piece) => (at += piece.length) - piece.length);
    }
    // A character that several tokens share begins with the first of them.
    return ids.map((_, i) => this.tokenizer.decode(ids.slice(0, i)).replace(/\uFFFD+$/, '').length); // prettier-ignore
  }

  #piece(id: number): string | null {
    const known = this.#pieces.get(id);
    if (known !== undefined) return known;
    const text = this.tokenizer.decode([id]);
    const piece = text.includes('\uFFFD') ? null : text;
    this.#pieces.set(id, piece);
    return piece;
  }
}

/** The tokens that the template writes after an assistant's words, up to the first one that ends a turn. */
function endOfTurn(tokenizer: TextTokenizer, ends: ReadonlySet<number>): number[] {
  const turn = [
    { role: 'user', content: probe },
    { role: 'assistant', content: probe },
  ];
  const whole = tokenizer.renderChat(turn);
  const at = whole.lastIndexOf(probe);
  const after = at < 0 ? '' : whole.slice(at + probe.length);
  const ids = after === '' ? [] : tokenizer.encode(after, { addSpecialTokens: false });
  const end = ids.findIndex((id) => ends.has(id));
  if (end >= 0) return ids.slice(0, end + 1);
  const [first] = ids.length > 0 ? ids : ends;
  if (first !== undefined) return [first];
  throw new AppError('CHECKPOINT_UNSUPPORTED', 'Nothing marks the end of an answer in this checkpoint.', {
    hint: 'Name an "eos_token" in tokenizer_config.json.',
  });
}

/** The end tokens that the checkpoint's configuration names. @throws CHECKPOINT_INVALID */
export async function configuredEnds(folder: string): Promise<number[]> {
  const root = await realpath(folder).catch(() => folder);
  const path = await fileOfFolder(root, generationConfigName);
  if (path === null) return [];
  const text = await readTextFile(path, generationConfigName, maxConfigBytes, 'bad_config');
  try {
    const { eos_token_id: ids } = endIdsSchema.parse(JSON.parse(text));
    return [ids ?? []].flat();
  } catch (cause) {
    throw new AppError('CHECKPOINT_INVALID', `${generationConfigName} cannot be read.`, {
      hint: 'Take it from the same checkpoint again.',
      cause,
    });
  }
}
