/**
 * Chat templates: Jinja as transformers renders it, from a checkpoint's files. What a template can do is bounded: its
 * size, the numbers `range` gives, and its time. `strftime_now` is left undefined, so that a prompt does not depend on the
 * day; templates that ask for it fall back to a date of their own.
 */
import { AppError } from '../../contract/errors.ts';
import { withDeadline } from './deadline.ts';
import { Environment, Interpreter, type JinjaEnvironment, parse, tokenize } from './huggingface.ts';

export interface ChatMessage {
  role: string;
  content: string;
}

/** The longest ones of the hub, with tools, have some 20 kB. */
const maxTemplateCharacters = 256 * 1024;
const maxRange = 100_000;
const renderMs = 2000;

export interface ChatTemplate {
  /**
   * @param variables what the template sees beside the messages: special tokens, `add_generation_prompt`
   * @throws INVALID_REQUEST the template refuses these messages; CHECKPOINT_INVALID it takes too long
   */
  render(messages: readonly ChatMessage[], variables: Record<string, unknown>): string;
}

/** @throws CHECKPOINT_INVALID too long, or no template */
export function parseChatTemplate(source: string): ChatTemplate {
  if (source.length > maxTemplateCharacters) {
    const message = `The chat template has ${source.length} characters; ${maxTemplateCharacters} are allowed.`;
    throw new AppError('CHECKPOINT_INVALID', message, { hint: 'Use a checkpoint with an ordinary chat template.' });
  }
  const program = withDeadline('Reading the chat template', renderMs, () => {
    try {
      // As transformers sets Jinja up
      return parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
    } catch (error) {
      const message = `The chat template cannot be read: ${textOf(error)}.`;
      throw new AppError('CHECKPOINT_INVALID', message, { hint: 'Take it from the same checkpoint again.', cause: error }); // prettier-ignore
    }
  });
  return {
    render: (messages, variables) =>
      withDeadline('The chat template', renderMs, () => {
        try {
          const items = { ...variables, messages: messages.map(({ role, content }) => ({ role, content })) };
          return String(new Interpreter(environment(items)).run(program).value);
        } catch (error) {
          const message = `The chat template refuses these messages: ${textOf(error)}.`;
          throw new AppError('INVALID_REQUEST', message, { hint: 'Look at the roles and their order.', cause: error });
        }
      }),
  };
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

function environment(items: Record<string, unknown>): JinjaEnvironment {
  const globals = new Environment();
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null };
  const functions = {
    raise_exception: (text: string) => {
      throw new Error(text);
    },
    range: boundedRange,
  };
  for (const [name, value] of Object.entries({ ...constants, ...functions })) globals.set(name, value);
  const scope = new Environment(globals);
  for (const [name, value] of Object.entries(items)) scope.set(name, value);
  return scope;
}

/** Python's `range`, of at most `maxRange` numbers. */
function boundedRange(first: number, end?: number, step = 1): number[] {
  const [start, stop] = end === undefined ? [0, first] : [first, end];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= maxRange)) throw new Error(`range of more than ${maxRange} numbers`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
