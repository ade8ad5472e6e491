/** What a task has to offer so that a person can put a question of it to a checkpoint. */
import type { PlayAnswer, PlayField, PlayTaskInfo, PlayToken } from '../../contract/play.ts';
import type { Checkpoint } from '../checkpoints/openCheckpoint.ts';
import type { Philox } from '../random/philox.ts';
import type { Split } from '../tasks/task.ts';
import type { AskedCheckpoint } from './askedCheckpoint.ts';

export interface PlayQuestion {
  split: Split;
  inputs: Record<string, string>;
  /** 0: greedy. */
  temperature: number;
  seed: number;
  /** Of answers in text. */
  mostTokens: number;
}

/** Who watches an answer. */
export interface Watching {
  onToken(token: PlayToken): void;
  signal: AbortSignal;
}

export interface PlayTask {
  readonly name: string;
  readonly label: string;
  readonly fields: PlayField[];
  readonly rules: PlayTaskInfo['rules'];
  readonly inText: boolean;
  /** A random question; null where none can be drawn. */
  readonly example: ((random: Philox) => Record<string, string>) | null;
  /** Why this checkpoint cannot be asked, from its headers and small files; null when it can. */
  whyNot(checkpoint: Checkpoint): Promise<string | null>;
  /**
   * @throws INVALID_REQUEST naming the field that is wrong; OUT_OF_MEMORY before a weight is read; what `signal` was
   * aborted with
   */
  ask(asked: AskedCheckpoint, question: PlayQuestion, watching: Watching): Promise<PlayAnswer>;
}
