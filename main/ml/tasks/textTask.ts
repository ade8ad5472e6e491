/**
 * A task in text: chat messages in, an answer in text out, judged by a verifier. GeneralPoints, Navigation, Determinant
 * and Rank implement it; evaluation and training of real checkpoints call nothing else.
 *
 * Beside it stands the token-level `Task` (task.ts), which the miniature study trains on: fixed lengths, its own
 * vocabulary, one step per token position. Both share the splits and the words for the steps of an answer, so that both
 * fill the same evaluation. A text task knows no tokenizer: where a step stands is said in characters of the text.
 *
 * How it is used
 * - one template: the prompt of an example is what a dialogue shows first, so loss and accuracy read the same words;
 * - loss by step: tokenise `prompt` and `answer.text`, give each token the step of its first character (`stepAt`);
 * - forced accuracy: generate after `prompt` + `answer.text.slice(0, answer.forcedChars)`, verify the two together;
 * - acc@1: `open(episode, { attempts: 1 })`, acc@k-feedback: attempts k; pass@k: k dialogues with one attempt each;
 * - RL: one action is one whole answer, `step` gives its reward; the rewards of a dialogue are in order for GAE.
 */
import type { TextTaskName } from '../../contract/settings.ts';
import type { Philox } from '../random/philox.ts';
import type { AnswerStep, Split } from './task.ts';

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Characters [start, end) of an answer (UTF-16 units) that belong to one step. */
export interface AnswerSpan {
  step: AnswerStep;
  start: number;
  end: number;
}

/** One right answer; there may be others. */
export interface ReferenceAnswer {
  text: string;
  /** Adjacent spans from 0 to the end of the text. */
  spans: readonly AnswerSpan[];
  /** Given in forced evaluation: everything before the last step, so that only the result is left to write. */
  forcedChars: number;
}

/** A prompt with its reference answer: an SFT example, and a row of the teacher-forced loss. */
export interface TextExample {
  prompt: readonly Message[];
  answer: ReferenceAnswer;
}

/** What a problem is, without the rule: equal under both splits. */
export interface ProblemKeys {
  /** The parts without their order: sorted cards, sorted entries, a route without its start heading. */
  multiset: string;
  /** The parts in the order of the prompt. */
  ordered: string;
}

/** One problem under one rule. */
export interface TextEpisode<Problem = unknown> {
  readonly task: string;
  readonly split: Split;
  readonly keys: ProblemKeys;
  /** What the task needs; opaque to everyone else. */
  readonly problem: Problem;
}

/** How the fields of an answer were found: as one JSON object, by pattern in the text, or not at all. */
export type AnswerReading = 'strict' | 'lenient' | 'none';

/** Facts by step are diagnostics; the verdict rests on the result alone. */
export interface TextVerdict {
  /** E.g. CORRECT_SOLUTION, INCORRECT_NUMBER: the published names. */
  verdict: string;
  /** Finer than the verdict, e.g. number_unused; `ok` when correct. */
  reason: string;
  /** The fault in words, for "You failed this trial because ..."; empty when correct. */
  fault: string;
  reward: number;
  correct: boolean;
  reading: AnswerReading;
  /** The result stands in a field of its own. */
  formatOk: boolean;
  /** The problem is copied right. */
  cardOk: boolean;
  /** The step where the rule is applied is right. */
  numberOk: boolean;
  /** The result follows from what the answer itself wrote at the number step, whether that is right or not. */
  formulaOk: boolean;
  /** Wrong here, but right under the other split's rule. */
  ruleSlip: boolean;
}

/** What one answer did to a dialogue. */
export interface DialogueTurn {
  verdict: TextVerdict;
  /** Of the verdict, and of the step limit where it is reached. */
  reward: number;
  done: boolean;
  success: boolean;
  /** The dialogue ended because the last attempt failed. */
  limitReached: boolean;
}

/**
 * An environment: messages to answer, then `step`. Its state is the list of answers so far: the same answers bring a
 * fresh dialogue to the same state.
 */
export interface Dialogue {
  /** What the model has to answer now; after the end, the whole conversation. */
  readonly messages: readonly Message[];
  /** Index into `examples(episode)` of the reference for what is asked now. */
  readonly position: number;
  readonly done: boolean;
  readonly success: boolean;
  /** @throws INVALID_REQUEST the dialogue is done */
  step(answer: string): DialogueTurn;
}

export interface DialogueOptions {
  /** Answers that are judged at each position before the dialogue ends; 1 for acc@1. */
  attempts: number;
}

export interface TextTask<Problem = unknown> {
  readonly name: TextTaskName;
  /** What the steps of an answer are in this task, to be shown. */
  readonly stepLabels: Readonly<Record<AnswerStep, string>>;
  /** Attempts of the published revision dialogue. */
  readonly feedbackAttempts: number;
  /** The splits differ in a rule, so that matched sets and rule slips exist. */
  readonly hasRule: boolean;
  /**
   * A frozen set from the held-out share, no problem twice: equal (split, count, seed) give equal episodes, and a
   * shorter set is the beginning of a longer one.
   * @throws INVALID_REQUEST the held-out share has fewer problems
   */
  heldOutEpisodes(split: Split, count: number, seed: number): TextEpisode<Problem>[];
  /** The same held-out problems in the same order under both rules. @throws INVALID_REQUEST too many, or no rule */
  matchedEpisodes(count: number, seed: number): Record<Split, TextEpisode<Problem>[]>;
  /** An episode from outside the held-out share. */
  trainingEpisode(split: Split, random: Philox): TextEpisode<Problem>;
  /** The way to success: one example, or one a step with the reference history. The same at every call. */
  examples(episode: TextEpisode<Problem>): TextExample[];
  /** Every right text that may follow the forced part, up to the mark that ends it: no one begins another. */
  rightEndings(episode: TextEpisode<Problem>, position: number): string[];
  /** Bounded in time and never throws, whatever the answer. @param position index into `examples` */
  verify(episode: TextEpisode<Problem>, answer: string, position: number): TextVerdict;
  /** The dialogue at its beginning. @throws INVALID_REQUEST attempts below 1 */
  open(episode: TextEpisode<Problem>, options: DialogueOptions): Dialogue;
  /** Reads the problem back from the prompt of an example, also of an imported one; null when it is another task's. */
  keysOfPrompt(prompt: readonly Message[]): ProblemKeys | null;
}

export const otherSplit = (split: Split): Split => (split === 'ood' ? 'inDist' : 'ood');

/** What is wrong, in the words of the published dialogue. */
export const failureMessage = (verdict: TextVerdict): Message => ({
  role: 'user',
  content: `You failed this trial because ${verdict.fault}`,
});
