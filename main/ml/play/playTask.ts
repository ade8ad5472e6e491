/** What a task has to offer so that a person can put a question of it to a checkpoint. */
import type { Compute } from '../../compute/compute.ts';
import type { PlayAnswer, PlayField } from '../../contract/play.ts';
import type { Checkpoint } from '../checkpoints/openCheckpoint.ts';
import type { Philox } from '../random/philox.ts';
import type { Split } from '../tasks/task.ts';

/** A model in memory that answers. */
export interface PlayModel {
  /** Greedy. @throws INVALID_REQUEST naming the field that is wrong */
  ask(inputs: Record<string, string>, split: Split): Promise<PlayAnswer>;
  dispose(): void;
}

export interface PlayTask {
  readonly name: string;
  readonly label: string;
  readonly fields: PlayField[];
  readonly rules: Record<Split, string>;
  /** A random question. */
  example(random: Philox): Record<string, string>;
  /** Why this checkpoint cannot be asked, from its headers and files; null when it can. */
  whyNot(checkpoint: Checkpoint): Promise<string | null>;
  /** @param checkpoint is read and may be closed after */
  open(compute: Compute, checkpoint: Checkpoint): Promise<PlayModel>;
}
