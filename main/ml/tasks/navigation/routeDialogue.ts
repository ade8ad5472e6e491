/**
 * The dialogue of a route. A right action leads to the next point: the prompt is written anew with the longer history and
 * the tries start again. A wrong one is followed by a user turn that says why; when the tries at a point are used up the
 * route ends (the published environment moves on by itself, but its episode has failed).
 */
import { finished, requireAttempts } from '../revisionDialogue.ts';
import {
  type Dialogue,
  type DialogueOptions,
  type DialogueTurn,
  type Message,
  type TextVerdict,
  failureMessage,
} from '../textTask.ts';

export interface RouteRules {
  /** Points of the route; success is the right action at the last one. */
  points: number;
  prompt(position: number): readonly Message[];
  verify(answer: string, position: number): TextVerdict;
  /** Added to the last of several failed tries at a point. */
  stepLimitReward: number;
}

/** @throws INVALID_REQUEST attempts below 1 */
export function routeDialogue(rules: RouteRules, { attempts }: DialogueOptions): Dialogue {
  requireAttempts(attempts);
  const last = rules.points - 1;
  let position = 0;
  let messages: Message[] = [...rules.prompt(0)];
  let used = 0;
  let done = false;
  let success = false;
  return {
    get messages() {
      return messages;
    },
    get position() {
      return position;
    },
    get done() {
      return done;
    },
    get success() {
      return success;
    },
    step(answer): DialogueTurn {
      if (done) throw finished();
      const verdict = rules.verify(answer, position);
      used++;
      success = verdict.correct && position === last;
      const limitReached = !verdict.correct && used === attempts;
      done = success || limitReached;
      messages = [...messages, { role: 'assistant', content: answer }];
      if (!verdict.correct && !done) messages.push(failureMessage(verdict));
      if (verdict.correct && !done) {
        position++;
        used = 0;
        messages = [...rules.prompt(position)];
      }
      const reward = verdict.reward + (limitReached && attempts > 1 ? rules.stepLimitReward : 0);
      return { verdict, reward, done, success, limitReached };
    },
  };
}
