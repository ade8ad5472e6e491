/** How long the prompts of a dialogue get: its last attempt is shown every earlier answer and what was wrong with it. */
import type { TextRlSettings } from '../../contract/settings.ts';

/** Of "You failed this trial because ..." and the marks around a turn. */
const faultTokens = 64;

/** @param first tokens of the longest first prompt */
export function longestDialoguePrompt(
  first: number,
  { dialogueAttempts, maxNewTokens }: Pick<TextRlSettings, 'dialogueAttempts' | 'maxNewTokens'>,
): number {
  return first + (dialogueAttempts - 1) * (maxNewTokens + faultTokens);
}
