/** Conversations as a checkpoint's chat template writes them, with the special tokens that its configuration names. */
import { AppError } from '../../contract/errors.ts';
import { type ChatMessage, parseChatTemplate } from './chatTemplate.ts';
import { contentOf, type ChatFiles } from './tokenizerFiles.ts';

const specialTokens = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;

/**
 * A conversation as the model reads it.
 * @throws CHECKPOINT_INCOMPLETE the checkpoint has no chat template; INVALID_REQUEST it refuses these messages
 */
export type RenderChat = (messages: readonly ChatMessage[], options?: { addGenerationPrompt?: boolean }) => string;

/** @throws CHECKPOINT_INVALID the template cannot be read */
export function chatRenderer({ config, template }: ChatFiles): RenderChat {
  const parsed = template === null ? null : parseChatTemplate(template);
  const known = specialTokens.flatMap((name) => {
    const content = contentOf(config[name]);
    return content === null ? [] : [[name, content] as const];
  });
  return (messages, { addGenerationPrompt = false } = {}) => {
    if (parsed === null)
      throw new AppError('CHECKPOINT_INCOMPLETE', 'The checkpoint has no chat template.', { hint: noTemplateHint });
    const variables = { add_generation_prompt: addGenerationPrompt, tools: null, documents: null };
    return parsed.render(messages, { ...Object.fromEntries(known), ...variables });
  };
}

/** What to do about a checkpoint without one. */
export const noTemplateHint = 'Copy chat_template.jinja of the instruction-tuned model into its folder.';
