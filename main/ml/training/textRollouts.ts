/**
 * The answers that one iteration of RL in text learns from. One action is one whole answer.
 *
 * PPO: dialogues as the task has them, many at once: every open one is answered in one batch. An iteration has exactly
 * `rolloutSize` answers; a dialogue that is over makes room for the next episode, and those still open at the end are
 * cut off. GRPO: groups of answers to one prompt, of one turn.
 *
 * The iteration, the episode and the turn (in GRPO the answer) name the random numbers of an answer, and nothing else does.
 */
import type { TextRlSettings } from '../../contract/settings.ts';
import { Philox } from '../random/philox.ts';
import type { Dialogue, TextEpisode, TextTask, TextVerdict } from '../tasks/textTask.ts';
import type { TokenExample } from '../text/answerBatch.ts';
import type { TextDecoding, TextModel } from '../text/textModel.ts';
import { answerWeights } from './answerWeights.ts';

/** An answer to a prompt in tokens, with what it brought. */
export interface AnswerAction extends TokenExample {
  /** Of each answer token in the answer's log-probability. */
  weights: readonly number[];
  verdict: TextVerdict;
  reward: number;
  /** The model ended it; otherwise it was cut off. */
  ended: boolean;
}

export interface DialogueRollout {
  /** Indices of its answers, in order. */
  answers: number[];
  /** The prompt that waits for an answer, where the dialogue was cut off. */
  next: readonly number[] | null;
  success: boolean;
}

export interface TextRollouts {
  /** [rolloutSize]; in GRPO the answers of a group side by side */
  answers: AnswerAction[];
  dialogues: DialogueRollout[];
}

export interface RolloutRequest {
  text: TextModel;
  task: TextTask;
  settings: TextRlSettings;
  seed: number;
  iteration: number;
  signal?: AbortSignal | undefined;
}

/** Answers of training episodes under the rule of ID. @throws what `signal` was aborted with, between two batches */
export const textRollouts = (request: RolloutRequest): Promise<TextRollouts> =>
  request.settings.algorithm === 'grpo' ? groups(request) : dialogues(request);

interface Lane {
  episode: TextEpisode;
  /** In the order of the iteration's episodes. */
  index: number;
  dialogue: Dialogue;
  answers: number[];
}

async function dialogues(request: RolloutRequest): Promise<TextRollouts> {
  const { text, task, settings, seed, iteration } = request;
  const { rolloutSize, dialogueAttempts: attempts } = settings;
  const random = new Philox(seed, 'rl episodes', iteration);
  const all: Lane[] = [];
  const open = (): Lane => {
    const episode = task.trainingEpisode('inDist', random);
    const lane = { episode, index: all.length, dialogue: task.open(episode, { attempts }), answers: [] };
    all.push(lane);
    return lane;
  };
  let lanes: Lane[] = [];
  // As few at once as let most of them end: a dialogue is about as long as its attempts, or as the way to success.
  let room = rolloutSize;
  while (room > 0) {
    const lane = open();
    lanes.push(lane);
    room -= Math.max(attempts, task.examples(lane.episode).length);
  }
  const answers: AnswerAction[] = [];
  while (answers.length < rolloutSize) {
    lanes = lanes.map((lane) => (lane.dialogue.done ? open() : lane));
    const asked = lanes.slice(0, rolloutSize - answers.length);
    const prompts = asked.map(({ dialogue }) => text.codec.promptIds(dialogue.messages));
    const stream = (row: number): Philox => new Philox(seed, 'rl answer', iteration, asked[row]!.index, asked[row]!.answers.length); // prettier-ignore
    const generated = await generate(request, prompts, stream);
    asked.forEach((lane, row) => {
      const { position } = lane.dialogue;
      const tokens = generated[row]!;
      const turn = lane.dialogue.step(text.codec.textOf(tokens));
      lane.answers.push(answers.length);
      answers.push(actionOf(request, lane.episode, position, { prompt: prompts[row]!, answer: tokens }, turn));
    });
  }
  const rollouts = all.map(({ dialogue, answers: own }) => ({
    answers: own,
    next: dialogue.done ? null : text.codec.promptIds(dialogue.messages),
    success: dialogue.success,
  }));
  return { answers, dialogues: rollouts.filter((one) => one.answers.length > 0) };
}

async function groups(request: RolloutRequest): Promise<TextRollouts> {
  const { text, task, settings, seed, iteration } = request;
  const random = new Philox(seed, 'rl episodes', iteration);
  const asked = Array.from({ length: settings.rolloutSize / settings.groupSize }, () => {
    const episode = task.trainingEpisode('inDist', random);
    const position = random.int(task.examples(episode).length);
    const prompt = text.codec.promptIds(task.examples(episode)[position]!.prompt);
    return Array.from({ length: settings.groupSize }, () => ({ episode, position, prompt }));
  }).flat();
  const prompts = asked.map(({ prompt }) => prompt);
  const generated = await generate(request, prompts, (row) => new Philox(seed, 'rl answer', iteration, row));
  const answers = asked.map(({ episode, position, prompt }, row) => {
    const answer = generated[row]!;
    const verdict = task.verify(episode, text.codec.textOf(answer), position);
    return actionOf(request, episode, position, { prompt, answer }, { verdict, reward: verdict.reward });
  });
  const rollouts = answers.map(({ verdict }, row) => ({ answers: [row], next: null, success: verdict.correct }));
  return { answers, dialogues: rollouts };
}

function generate(
  { text, settings, signal }: RolloutRequest,
  prompts: readonly (readonly number[])[],
  stream: (row: number) => Philox,
): Promise<number[][]> {
  const { rolloutTemperature: temperature, rolloutTopP: topP, maxNewTokens } = settings;
  const decoding: TextDecoding = { mode: 'sample', temperature, topP, stream };
  return text.generate(prompts, maxNewTokens, decoding, { signal });
}

function actionOf(
  { text, task, settings }: RolloutRequest,
  episode: TextEpisode,
  position: number,
  tokens: TokenExample,
  { verdict, reward }: { verdict: TextVerdict; reward: number },
): AnswerAction {
  const { codec } = text;
  const ended = codec.stopIds.includes(tokens.answer.at(-1)!);
  const reference = task.examples(episode)[position]!.answer;
  const weights = answerWeights(codec, reference, tokens.answer, settings.prefixWeight);
  return { ...tokens, weights, verdict, reward, ended };
}

/** Reward and success apart, so that a reward that rises without success is seen. */
export function textRolloutMetrics({ answers, dialogues }: TextRollouts): Record<string, number> {
  const mean = <T>(items: readonly T[], value: (item: T) => number): number =>
    items.reduce((sum, item) => sum + value(item), 0) / items.length;
  const finished = dialogues.filter(({ next }) => next === null);
  return {
    reward: mean(answers, ({ reward }) => reward),
    successRate: mean(answers, ({ verdict }) => Number(verdict.correct)),
    formatRate: mean(answers, ({ verdict }) => Number(verdict.formatOk)),
    ...(finished.length > 0 && { dialogueSuccessRate: mean(finished, ({ success }) => Number(success)) }),
    answerTokens: mean(answers, ({ answer }) => answer.length),
    endedRate: mean(answers, ({ ended }) => Number(ended)),
  };
}
