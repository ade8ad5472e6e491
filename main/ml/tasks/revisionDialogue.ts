/**
 * The dialogue of a task that asks one thing: an answer that fails is followed by a user turn that says why, until one
 * succeeds or the attempts are used up (the published `verify_iter`). The whole conversation stays in the prompt.
 */
import { AppError } from '../../contract/errors.ts';
import {
  type Dialogue,
  type DialogueOptions,
  type DialogueTurn,
  type Message,
  type TextVerdict,
  failureMessage,
} from './textTask.ts';

export interface RevisionRules {
  prompt: readonly Message[];
  verify(answer: string): TextVerdict;
  /** Added to the last of several failed attempts; a single attempt has no limit to run into. */
  stepLimitReward: number;
}

/** @throws INVALID_REQUEST attempts below 1 */
export function revisionDialogue(rules: RevisionRules, { attempts }: DialogueOptions): Dialogue {
  requireAttempts(attempts);
  const messages: Message[] = [...rules.prompt];
  let used = 0;
  let done = false;
  let success = false;
  return {
    messages,
    position: 0,
    get done() {
      return done;
    },
    get success() {
      return success;
    },
    step(answer): DialogueTurn {
      if (done) throw finished();
      const verdict = rules.verify(answer);
      used++;
      success = verdict.correct;
      const limitReached = !success && used === attempts;
      done = success || limitReached;
      messages.push({ role: 'assistant', content: answer });
      if (!done) messages.push(failureMessage(verdict));
      const reward = verdict.reward + (limitReached && attempts > 1 ? rules.stepLimitReward : 0);
      return { verdict, reward, done, success, limitReached };
    },
  };
}

/** @throws INVALID_REQUEST */
export function requireAttempts(attempts: number): void {
  if (Number.isInteger(attempts) && attempts >= 1) return;
  throw new AppError('INVALID_REQUEST', `A dialogue needs at least one attempt, not ${attempts}.`, {
    hint: 'Set the attempts to 1 or more.',
  });
}

export const finished = (): AppError =>
  new AppError('INVALID_REQUEST', 'The dialogue is done: no answer is asked for.', { hint: 'Open the episode again.' });
