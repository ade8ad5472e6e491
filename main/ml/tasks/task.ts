/** What a task has to offer: episodes of two splits, a verifier, and where each step of the answer stands. */
import type { PretrainSettings } from '../../contract/settings.ts';
import type { Philox } from '../random/philox.ts';

export type Split = 'inDist' | 'ood';

/** One problem under one rule. `answer` is one right answer (there may be others), padded to `answerLength`. */
export interface Episode {
  split: Split;
  /** [promptLength] */
  prompt: Int32Array;
  /** [answerLength] */
  answer: Int32Array;
  /** What the verifier needs; opaque to everyone else. */
  problem: unknown;
}

/** Graded by step: format, number (the rule), then the formula itself. */
export interface Verdict {
  formatOk: boolean;
  numberOk: boolean;
  correct: boolean;
  /** Right, but under the other split's rule. */
  ruleSlip: boolean;
}

export type AnswerStep = 'format' | 'card' | 'number' | 'formula';

export interface Task {
  readonly name: string;
  /** Token texts by id. */
  readonly vocabulary: readonly string[];
  readonly padId: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly promptLength: number;
  readonly answerLength: number;
  /** Answer tokens given in forced evaluation (cards and numbers), so that only arithmetic is left. */
  readonly forcedLength: number;
  /** [answerLength] which step of the answer a position belongs to. */
  readonly steps: readonly AnswerStep[];
  /** An episode of the training share of prompts. */
  trainingEpisode(split: Split, random: Philox): Episode;
  /** A frozen set from the held-out share of prompts: equal (split, count, seed) give equal episodes. */
  evaluationSet(split: Split, count: number, seed: number): Episode[];
  /** One pretraining document [promptLength + answerLength], padded. */
  pretrainingDocument(settings: PretrainSettings, random: Philox): Int32Array;
  /** @param answer generated tokens, read up to and including the first `eosId` */
  verify(episode: Episode, answer: ArrayLike<number>): Verdict;
  /** The same prompt as the frozen reference model has to read it (another template token). */
  anchorPrompt(prompt: Int32Array): Int32Array;
}
