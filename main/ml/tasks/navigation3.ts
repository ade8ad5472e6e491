/**
 * Navigation in miniature: one decision on a route of three legs, in tokens.
 *
 * The prompt gives the start heading, each leg's direction and the landmark at its end, how many instructions are done, and
 * what is observed now. Instructions are, leg by leg, "turn to face the direction" and "go forward to the landmark"; after
 * the last one the route stops. inDist turns to a compass point, `TURN NE`; ood relative to the present heading, wrapped to
 * (-180, 180], `TURN sright`: four words for seven differences, as in the published action space. Everything else is the
 * same. Source of the form: the published Navigation, reduced to the decision in which its rule shows.
 * Prompt [12]:  <bos> RULE h0 d1 m1 d2 m2 d3 m3 DONE OBSERVED <sep>
 * Answer  [9]:  OBS o INSTR kind argument ACTION verb argument <eos>
 */
import type { PretrainSettings } from '../../contract/settings.ts';
import { Philox } from '../random/philox.ts';
import { headingOf, compassPoints, relativeTurn, relativeTurns } from './navigation/headings.ts';
import type { AnswerStep, Episode, Split, Task, Verdict } from './task.ts';
import { drawDocument, tokenTable } from './tokenTable.ts';

const legs = 3;
export const landmarks = Array.from({ length: 12 }, (_, i) => `M${i}`);
const vocabulary = [
  ...'<pad> <bos> <eos> <sep> RA RB OBS INSTR ACTION X1 X2 <sep2> NONE FORWARD STOP TURN -'.split(' '),
  ...compassPoints,
  ...relativeTurns,
  ...landmarks,
  ...Array.from({ length: 2 * legs + 1 }, (_, count) => String(count)),
];
const tokenId = tokenTable(vocabulary);
const ruleToken: Record<Split, number> = { inDist: tokenId('RA'), ood: tokenId('RB') };
const [padId, bosId, eosId, sep, sep2] = [tokenId('<pad>'), tokenId('<bos>'), tokenId('<eos>'), tokenId('<sep>'), tokenId('<sep2>')] as const; // prettier-ignore
const [obsToken, instrToken, actionToken, x1, x2] = [tokenId('OBS'), tokenId('INSTR'), tokenId('ACTION'), tokenId('X1'), tokenId('X2')] as const; // prettier-ignore
const [nothing, noArgument, turn, forward, stop] = [tokenId('NONE'), tokenId('-'), tokenId('TURN'), tokenId('FORWARD'), tokenId('STOP')] as const; // prettier-ignore
const compass = compassPoints.map(tokenId);
const landmark = landmarks.map(tokenId);

const promptLength = 12;
const answerLength = 9;
const steps: AnswerStep[] = ['format', 'card', 'format', 'number', 'number', 'format', 'formula', 'formula', 'format'];

/** Directions are indices of the eight compass points, clockwise from north. */
export interface Route {
  start: number;
  /** Each differs from the one before it: a leg begins with a turn. */
  directions: number[];
  landmarks: number[];
}

/** A point of a route: `done` of its 2 x 3 instructions are carried out. */
export interface Decision {
  route: Route;
  done: number;
  /** Index of the landmark that is seen, or null. */
  seen: number | null;
}

const isTurn = ({ done }: Decision): boolean => done < 2 * legs && done % 2 === 0;

/** [kind, argument] of the instruction to be carried out now, and [verb, argument] of the action. */
export function resolve({ route, done }: Decision, split: Split): { instruction: number[]; action: number[] } {
  const leg = Math.floor(done / 2);
  if (done === 2 * legs) return { instruction: [stop, noArgument], action: [stop, noArgument] };
  if (done % 2 === 1) {
    // It holds until its landmark is seen; then it counts as done.
    return { instruction: [forward, landmark[route.landmarks[leg]!]!], action: [forward, noArgument] };
  }
  const to = route.directions[leg]!;
  const from = leg === 0 ? route.start : route.directions[leg - 1]!;
  const relative = relativeTurn(headingOf(compassPoints[from]!), headingOf(compassPoints[to]!));
  return {
    instruction: [turn, compass[to]!],
    action: [turn, split === 'inDist' ? compass[to]! : tokenId(relative)],
  };
}

/** Held out from all training under either rule: by the headings and landmarks of the whole route and the point on it. */
export function isHeldOut({ route, done }: Decision, share: number): boolean {
  const name = [route.start, ...route.directions, ...route.landmarks, done].join();
  return new Philox('navigation3', name).uniform() < share;
}

function drawRoute(random: Philox): Route {
  const start = random.int(8);
  const directions: number[] = [];
  for (let leg = 0; leg < legs; leg++) {
    const before = directions.at(-1) ?? start;
    directions.push((before + 1 + random.int(7)) % 8);
  }
  return { start, directions, landmarks: [...random.permutation(landmarks.length).subarray(0, legs)] };
}

function drawDecision(random: Philox, options: { turn: boolean; heldOut: boolean; share: number }): Decision {
  for (;;) {
    const route = drawRoute(random);
    const done = options.turn ? 2 * random.int(legs) : random.int(2 * legs + 1);
    const atEnd = done > 0 && done % 2 === 0;
    const seen = atEnd ? route.landmarks[done / 2 - 1]! : null;
    const decision = { route, done, seen };
    if (isHeldOut(decision, options.share) === options.heldOut) return decision;
  }
}

const seenToken = ({ seen }: Decision): number => (seen === null ? nothing : landmark[seen]!);

function promptTokens(split: Split, decision: Decision, separator: number): number[] {
  const { start, directions, landmarks: goals } = decision.route;
  const way = directions.flatMap((direction, leg) => [compass[direction]!, landmark[goals[leg]!]!]);
  return [
    bosId,
    ruleToken[split],
    compass[start]!,
    ...way,
    tokenId(String(decision.done)),
    seenToken(decision),
    separator,
  ];
}

function answerTokens(decision: Decision, split: Split): number[] {
  const { instruction, action } = resolve(decision, split);
  return [obsToken, seenToken(decision), instrToken, ...instruction, actionToken, ...action, eosId];
}

function documentAnswer(format: keyof PretrainSettings['mixture'], decision: Decision, split: Split): number[] {
  const { instruction, action } = resolve(decision, split);
  switch (format) {
    case 'full':
    case 'full2':
      return answerTokens(decision, split);
    case 'alt':
      return [x1, ...instruction, x2, ...action, eosId];
    case 'nums':
      return [instrToken, ...instruction, eosId];
    case 'direct':
      return [actionToken, ...action, eosId];
  }
}

const fixed: readonly [position: number, token: number][] = [[0, obsToken], [2, instrToken], [5, actionToken], [8, eosId]]; // prettier-ignore

/** The episode of a decision under a rule. */
export const decisionEpisode = (decision: Decision, split: Split): Episode => ({
  split,
  prompt: Int32Array.from(promptTokens(split, decision, sep)),
  answer: Int32Array.from(answerTokens(decision, split)),
  problem: decision,
});

/** @param testShare share of decisions held out from pretraining, SFT and RL, in 0..1 */
export function navigation3(testShare = 0.2): Task {
  const episode = (split: Split, random: Philox, heldOut: boolean): Episode =>
    decisionEpisode(drawDecision(random, { turn: true, heldOut, share: testShare }), split);
  return {
    name: 'navigation3',
    vocabulary,
    padId,
    bosId,
    eosId,
    promptLength,
    answerLength,
    forcedLength: 6,
    steps,
    trainingEpisode: (split, random) => episode(split, random, false),
    evaluationSet: (split, count, seed) =>
      Array.from({ length: count }, (_, i) => episode(split, new Philox(seed, 'evaluation', split, i), true)),
    pretrainingDocument(settings, random) {
      const { named, used, format, showsRule } = drawDocument(settings, random);
      const decision = drawDecision(random, { turn: showsRule, heldOut: false, share: testShare });
      const document = new Int32Array(promptLength + answerLength).fill(padId);
      const prompt = promptTokens(named, decision, format === 'full2' ? sep2 : sep);
      document.set([...prompt, ...documentAnswer(format, decision, used)]);
      return document;
    },
    verify({ problem, split }, answer): Verdict {
      const decision = problem as Decision;
      const tokens = Array.from(answer);
      const end = tokens.indexOf(eosId);
      const row = end < 0 ? tokens : tokens.slice(0, end + 1);
      const formatOk = row.length === answerLength && fixed.every(([position, token]) => row[position] === token);
      if (!formatOk) return { formatOk: false, numberOk: false, correct: false, ruleSlip: false };
      const isRight = (rule: Split): boolean => answerTokens(decision, rule).every((token, i) => row[i] === token);
      const correct = isRight(split);
      const { instruction } = resolve(decision, split);
      return {
        formatOk,
        numberOk: row[3] === instruction[0] && row[4] === instruction[1],
        correct,
        ruleSlip: !correct && isTurn(decision) && isRight(split === 'ood' ? 'inDist' : 'ood'),
      };
    },
    anchorPrompt(prompt) {
      const copy = Int32Array.from(prompt);
      copy[promptLength - 1] = sep2;
      return copy;
    },
  };
}
