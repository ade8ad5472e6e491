/** The answers that one iteration of RL learns from: sampled, verified, rewarded. */
import type { RlSettings } from '../../contract/settings.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { Philox } from '../random/philox.ts';
import type { Task, Verdict } from '../tasks/task.ts';
import { stackRows } from './supervised.ts';

/** Answers of one iteration, flat over [rolloutSize * answerLength] unless said. */
export interface Rollouts {
  /** [rolloutSize, promptLength + answerLength] */
  sequences: Int32Array;
  /** 1 up to and including the end token. */
  mask: Float32Array;
  /** 1 where the anchor pulls: not at the first token, which only chooses the answer's format. */
  anchored: Float32Array;
  verdicts: Verdict[];
  /** [rolloutSize] */
  rewards: Float64Array;
}

/** Fresh training prompts (GRPO: each `groupSize` times, side by side), answers sampled at temperature 1, and their verdicts. */
export async function rollOut(
  model: LanguageModel,
  task: Task,
  settings: RlSettings,
  seed: number,
  iteration: number,
): Promise<Rollouts> {
  const { promptLength, answerLength, eosId, padId } = task;
  const random = new Philox(seed, 'ppo prompts', iteration);
  const perPrompt = settings.algorithm === 'grpo' ? settings.groupSize : 1;
  const drawn = Array.from({ length: settings.rolloutSize / perPrompt }, () => task.trainingEpisode('inDist', random));
  const episodes = drawn.flatMap((episode) => Array.from({ length: perPrompt }, () => episode));
  const answers = await model.generate({
    prompts: stackRows(episodes.map(({ prompt }) => prompt)),
    promptLength,
    newTokens: answerLength,
    decoding: { mode: 'sample', temperature: 1, random: new Philox(seed, 'ppo rollout', iteration) },
    stopIds: [eosId],
    padId,
  });
  const rowOf = (row: number): Int32Array => answers.subarray(row * answerLength, (row + 1) * answerLength);
  const mask = new Float32Array(answers.length);
  const anchored = new Float32Array(answers.length);
  episodes.forEach((_, row) => {
    // By the end token, not by padding: a sampled padding token is an action like any other.
    const end = rowOf(row).indexOf(eosId);
    const length = end < 0 ? answerLength : end + 1;
    mask.fill(1, row * answerLength, row * answerLength + length);
    anchored.fill(1, row * answerLength + 1, row * answerLength + length);
  });
  const verdicts = episodes.map((episode, row) => task.verify(episode, rowOf(row)));
  return {
    sequences: stackRows(episodes.map(({ prompt }, row) => Int32Array.of(...prompt, ...rowOf(row)))),
    mask,
    anchored,
    verdicts,
    rewards: Float64Array.from(verdicts, (verdict) => rewardOf(verdict, settings.rewards)),
  };
}

/** By the first thing that is wrong: format, number, formula. */
export function rewardOf(verdict: Verdict, rewards: RlSettings['rewards']): number {
  if (verdict.correct) return rewards.correct;
  if (verdict.numberOk) return rewards.wrongFormula;
  return verdict.formatOk ? rewards.wrongNumber : rewards.badFormat;
}

/** Reward and success apart, so that a reward that rises without success is seen. */
export function rolloutMetrics({ rewards, verdicts }: Rollouts): Record<string, number> {
  const share = (key: keyof Verdict): number => verdicts.filter((verdict) => verdict[key]).length / verdicts.length;
  return {
    reward: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
    successRate: share('correct'),
    formatRate: share('formatOk'),
  };
}
