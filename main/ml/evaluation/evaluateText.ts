/**
 * ID and OOD skill of one checkpoint on a task in text: accuracy after one attempt (acc@1) or after several that are told
 * what was wrong (acc@k-feedback), pass@k, the steps of the answer, forced accuracy, loss in the same template, and the
 * probability of every right result. The sets are frozen, so that two checkpoints are compared episode by episode.
 */
import type { Evaluation, SplitScore, TextScore } from '../../contract/evaluation.ts';
import type { AnswerSample } from '../../contract/samples.ts';
import { passAtK } from '../statistics/passAtK.ts';
import type { Split } from '../tasks/task.ts';
import type { TextEpisode, TextExample, TextTask } from '../tasks/textTask.ts';
import type { BatchOptions, TextModel } from '../text/textModel.ts';
import { type ForcedRun, type ResultMass, forcedAnswers, resultMasses } from './forcedAnswers.ts';
import { type DecodingSettings, type DialogueRun, runDialogues } from './textDialogues.ts';
import { type StepLosses, stepLosses } from './textLosses.ts';

export type TextEpisodeSets = Record<Split, TextEpisode[]>;

export interface TextEvaluationSettings {
  /** Answers judged at each position: 1 is acc@1, k is acc@k-feedback. */
  attempts: number;
  /** Independent sampled dialogues of one attempt an episode: above 1 pass@k is given up to so many. */
  samples: number;
  decoding: DecodingSettings;
  maxNewTokens: number;
  /** Of sampled answers. */
  seed: number;
  /** The first so many episodes of each split are asked for the mass of right results; 0: none. */
  massEpisodes: number;
}

export interface TextEvaluation {
  evaluation: Evaluation;
  /** Every answer, in the order of the sets: one attempt or dialogue, then forced ones, then those of pass@k. */
  samples: AnswerSample[];
}

/**
 * The frozen sets of a study: the same for every checkpoint, stage and seed.
 * @param matched the same problems under both rules, so that ID and OOD differ in the rule alone
 * @throws INVALID_REQUEST the held-out share has fewer problems, or the task has no rule to match
 */
export function textEpisodeSets(task: TextTask, count: number, seed: number, matched: boolean): TextEpisodeSets {
  if (matched) return task.matchedEpisodes(count, seed);
  return {
    inDist: task.heldOutEpisodes('inDist', count, seed),
    ood: task.heldOutEpisodes('ood', count, seed),
  };
}

/** What a phase of an evaluation does, and how far it is, in rows. */
export type EvaluationProgress = (phase: string, done: number) => void;

/** @param training examples of the SFT set, for the training loss */
export async function evaluateText(
  text: TextModel,
  task: TextTask,
  sets: TextEpisodeSets,
  settings: TextEvaluationSettings,
  { training, signal, onProgress }: { training?: readonly TextExample[]; signal?: AbortSignal; onProgress?: EvaluationProgress } = {}, // prettier-ignore
): Promise<TextEvaluation> {
  const episodes = [...sets.inDist, ...sets.ood];
  const during = (phase: string): BatchOptions => ({ signal, onRows: (done) => onProgress?.(phase, done) });
  const { attempts, decoding, maxNewTokens, seed, massEpisodes } = settings;
  const common = { maxNewTokens, seed };
  const free = await runDialogues(text, task, episodes, { ...common, kind: 'answer', attempts, decoding, sample: 0 }, during('answers')); // prettier-ignore
  const forced = await forcedAnswers(text, task, episodes, maxNewTokens, during('given answers'));
  const sampled: DialogueRun[][] = [];
  for (let sample = 0; settings.samples > 1 && sample < settings.samples; sample++) {
    const drawn = { ...decoding, mode: 'sample' as const };
    sampled.push(await runDialogues(text, task, episodes, { ...common, kind: 'passAtK', attempts: 1, decoding: drawn, sample }, during('samples'))); // prettier-ignore
  }
  const scoreOf = async (split: Split, from: number): Promise<SplitScore> => {
    const own = sets[split];
    const part = <T>(all: readonly T[]): T[] => all.slice(from, from + own.length);
    const losses = await stepLosses(text, own.flatMap((episode) => task.examples(episode)), during('losses')); // prettier-ignore
    const masses = await resultMasses(text, task, own.slice(0, massEpisodes), during('right results'));
    return scoreSplit(split, part(free), part(forced), sampled.map(part), losses, masses);
  };
  const evaluation: Evaluation = {
    inDist: await scoreOf('inDist', 0),
    ood: await scoreOf('ood', sets.inDist.length),
    text: { attempts, decoding, maxNewTokens, seed },
  };
  if (training) evaluation.trainLoss = (await stepLosses(text, training, during('training loss'))).all;
  const samples = [free, forced, ...sampled].flatMap((runs) => runs.flatMap((run) => run.samples));
  return { evaluation, samples };
}

const outcomesOf = (right: readonly boolean[]): string => right.map((one) => (one ? '1' : '0')).join('');

function scoreSplit(
  split: Split,
  free: readonly DialogueRun[],
  forced: readonly ForcedRun[],
  sampled: readonly DialogueRun[][],
  losses: StepLosses,
  masses: readonly ResultMass[],
): SplitScore {
  const count = (test: (run: DialogueRun) => boolean): number => free.filter(test).length;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const answers: TextScore = {
    cardOk: count(({ verdict }) => verdict.cardOk),
    formulaOk: count(({ verdict }) => verdict.formulaOk),
    strict: count(({ verdict }) => verdict.reading === 'strict'),
    ended: count(({ samples }) => samples.every(({ ended }) => ended)),
    meanReward: mean(free.map(({ reward }) => reward)),
  };
  if (sampled.length > 0) {
    const right = free.map((_, row) => sampled.filter((runs) => runs[row]!.success).length);
    answers.passAtK = sampled.map((_, i) => passAtK(right, sampled.length, i + 1));
  }
  if (masses.length > 0)
    answers.mass = {
      positions: masses.length,
      any: mean(masses.map(({ any }) => any)),
      reference: mean(masses.map(({ reference }) => reference)),
    };
  return {
    n: free.length,
    correct: count(({ success }) => success),
    formatOk: count(({ verdict }) => verdict.formatOk),
    numberOk: count(({ verdict }) => verdict.numberOk),
    forcedCorrect: forced.filter(({ correct }) => correct).length,
    ruleSlips: split === 'ood' ? count(({ success, verdict }) => !success && verdict.ruleSlip) : 0,
    outcomes: outcomesOf(free.map(({ success }) => success)),
    forcedOutcomes: outcomesOf(forced.map(({ correct }) => correct)),
    loss: losses.all,
    formatLoss: losses.format,
    numberLoss: losses.number,
    formulaLoss: losses.formula,
    answers,
  };
}
