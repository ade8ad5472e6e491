/**
 * ID and OOD skill of one model: acc@1 (greedy), graded by step, forced accuracy, and the teacher-forced loss by step.
 * The episode sets are frozen, so that two checkpoints are compared on the same episodes, one by one.
 */
import type { TaskSettings } from '../../contract/settings.ts';
import type { Evaluation, SplitScore } from '../../contract/evaluation.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { generalPoints3 } from '../tasks/generalPoints3.ts';
import { navigation3 } from '../tasks/navigation3.ts';
import type { AnswerStep, Episode, Split, Task, Verdict } from '../tasks/task.ts';

export type EpisodeSets = Record<Split, Episode[]>;

export function openTask(settings: TaskSettings): Task {
  switch (settings.name) {
    case 'generalPoints3':
      return generalPoints3(settings.testShare);
    case 'navigation3':
      return navigation3(settings.testShare);
    default:
      throw new TypeError(`The task ${settings.name} is asked in text.`);
  }
}

/** The frozen sets of a study: the same for every checkpoint, stage and seed. */
export function episodeSets(task: Task, settings: TaskSettings): EpisodeSets {
  const set = (split: Split): Episode[] =>
    task.evaluationSet(split, settings.evaluationEpisodes, settings.evaluationSeed);
  return { inDist: set('inDist'), ood: set('ood') };
}

/** Prompt and reference answer of each episode, row-major [episodes, promptLength + answerLength]. */
export function sequencesOf(task: Task, episodes: readonly Episode[]): Int32Array {
  const length = task.promptLength + task.answerLength;
  const out = new Int32Array(episodes.length * length);
  episodes.forEach(({ prompt, answer }, row) => {
    out.set(prompt, row * length);
    out.set(answer, row * length + task.promptLength);
  });
  return out;
}

/**
 * Greedy answers, graded. With `given` > 0 the first tokens of the reference answer are given.
 * @param given answer tokens that the prompt already holds
 */
export async function gradeAnswers(
  model: LanguageModel,
  task: Task,
  episodes: readonly Episode[],
  given = 0,
): Promise<Verdict[]> {
  const promptLength = task.promptLength + given;
  const newTokens = task.answerLength - given;
  const prompts = new Int32Array(episodes.length * promptLength);
  episodes.forEach(({ prompt, answer }, row) => {
    prompts.set(prompt, row * promptLength);
    prompts.set(answer.subarray(0, given), row * promptLength + task.promptLength);
  });
  const generated = await model.generate({
    prompts,
    promptLength,
    newTokens,
    decoding: { mode: 'greedy' },
    stopIds: [task.eosId],
    padId: task.padId,
  });
  return episodes.map((episode, row) => {
    const rest = generated.subarray(row * newTokens, (row + 1) * newTokens);
    return task.verify(episode, [...episode.answer.subarray(0, given), ...rest]);
  });
}

/** Mean of the losses at the answer positions of these steps (all of them when none is named). */
function meanLoss(task: Task, losses: Float32Array, rows: readonly Episode[], steps: readonly AnswerStep[]): number {
  let sum = 0;
  let count = 0;
  rows.forEach(({ answer }, row) => {
    for (let position = 0; position < task.answerLength; position++) {
      if (answer[position] === task.padId || !steps.includes(task.steps[position]!)) continue;
      sum += losses[row * task.answerLength + position]!;
      count++;
    }
  });
  return sum / count;
}

const allSteps: readonly AnswerStep[] = ['format', 'card', 'number', 'formula'];
const countOf = (verdicts: Verdict[], key: keyof Verdict): number => verdicts.filter((verdict) => verdict[key]).length;
const outcomesOf = (verdicts: Verdict[]): string => verdicts.map(({ correct }) => (correct ? '1' : '0')).join('');

function scoreSplit(
  task: Task,
  episodes: readonly Episode[],
  free: Verdict[],
  forced: Verdict[],
  losses: Float32Array,
): SplitScore {
  return {
    n: episodes.length,
    correct: countOf(free, 'correct'),
    formatOk: countOf(free, 'formatOk'),
    numberOk: countOf(free, 'numberOk'),
    forcedCorrect: countOf(forced, 'correct'),
    ruleSlips: episodes[0]?.split === 'ood' ? countOf(free, 'ruleSlip') : 0,
    outcomes: outcomesOf(free),
    forcedOutcomes: outcomesOf(forced),
    loss: meanLoss(task, losses, episodes, allSteps),
    formatLoss: meanLoss(task, losses, episodes, ['format']),
    numberLoss: meanLoss(task, losses, episodes, ['number']),
    formulaLoss: meanLoss(task, losses, episodes, ['formula']),
  };
}

/**
 * @param trainingEpisodes examples of the SFT set, for the training loss
 * Both splits go through the model together: equal batches, one compiled step.
 */
export async function evaluateModel(
  model: LanguageModel,
  task: Task,
  sets: EpisodeSets,
  trainingEpisodes?: readonly Episode[],
): Promise<Evaluation> {
  const episodes = [...sets.inDist, ...sets.ood];
  const free = await gradeAnswers(model, task, episodes);
  const forced = await gradeAnswers(model, task, episodes, task.forcedLength);
  const lossesOf = (rows: readonly Episode[]): Promise<Float32Array> =>
    model.tokenLosses(sequencesOf(task, rows), task.promptLength + task.answerLength, task.promptLength, task.padId);
  const losses = await lossesOf(episodes);
  const half = sets.inDist.length;
  const cut = half * task.answerLength;
  const evaluation: Evaluation = {
    inDist: scoreSplit(task, sets.inDist, free.slice(0, half), forced.slice(0, half), losses.subarray(0, cut)),
    ood: scoreSplit(task, sets.ood, free.slice(half), forced.slice(half), losses.subarray(cut)),
  };
  if (trainingEpisodes)
    evaluation.trainLoss = meanLoss(task, await lossesOf(trainingEpisodes), trainingEpisodes, allSteps);
  return evaluation;
}
