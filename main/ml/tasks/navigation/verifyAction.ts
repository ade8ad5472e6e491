/**
 * Judges one action of Navigation. It alone decides; the observation and the instruction that the answer repeats are
 * diagnostics, except that a wrong action together with a wrong claim about an intersection costs 1.5 instead of 1.
 * The published code looked for the claim's truth in the landmark text, where it never stood; here the point says it.
 */
import { readFields } from '../answerFields.ts';
import type { Split } from '../task.ts';
import { type TextVerdict, otherSplit } from '../textTask.ts';
import { type Route, type RoutePoint, instructionsOf, pointsOf } from './route.ts';

export interface NavigationRewards {
  CORRECT_ACTION: number;
  INCORRECT_ACTION: number;
  INCORRECT_OBSERVATION: number;
  FORMAT_ERROR: number;
}

export const publishedRewards: NavigationRewards = {
  CORRECT_ACTION: 1,
  INCORRECT_ACTION: -1,
  INCORRECT_OBSERVATION: -1.5,
  FORMAT_ERROR: -1,
};

export const observationField = 'current observation';
export const instructionField = 'current instruction';

/** @param position index of the point on the route. @throws RangeError the route has no such point */
export function verifyAction(
  answer: string,
  route: Route,
  split: Split,
  position: number,
  rewards: NavigationRewards,
): TextVerdict {
  const points = pointsOf(route, split);
  const point = points[position];
  if (point === undefined) throw new RangeError(`The route has no point ${position}.`);
  const fields = readFields(answer, 'action', 'text');
  const action = fields.text('action');
  const observed = fields.text(observationField);
  const named = namedInstructions(fields.text(instructionField), instructionsOf(route));
  const correct = isAction(action, point.action);
  const judged = judge(action, observed, point, correct);
  return {
    ...judged,
    reward: rewards[judged.verdict],
    correct,
    reading: fields.reading,
    formatOk: action !== null,
    cardOk: observed !== null && plain(observed) === plain(point.observation),
    numberOk: named.includes(point.instruction),
    formulaOk: fits(action, named, position, points),
    ruleSlip: !correct && isAction(action, pointsOf(route, otherSplit(split))[position]!.action),
  };
}

type Judgement = { verdict: keyof NavigationRewards; reason: string; fault: string };

function judge(action: string | null, observed: string | null, point: RoutePoint, correct: boolean): Judgement {
  if (correct) return { verdict: 'CORRECT_ACTION', reason: 'ok', fault: '' };
  if (action === null) {
    const fault = 'the answer has no "action" field with a string in double quotes.';
    return { verdict: 'FORMAT_ERROR', reason: 'no_action_field', fault };
  }
  const claimed = /intersection/i.test(observed ?? '');
  if (claimed !== point.atIntersection) {
    const [reason, fault] = claimed
      ? ['not_at_intersection', 'you are not at an intersection.']
      : ['at_intersection', 'you are at an intersection.'];
    return { verdict: 'INCORRECT_OBSERVATION', reason: reason, fault: fault };
  }
  return { verdict: 'INCORRECT_ACTION', reason: 'wrong_action', fault: 'the action is not the right one here.' };
}

/** Letters and signs only: blanks, quotes around a direction and capitals do not matter. */
const plain = (text: string): string => text.replaceAll(/[\s'"]/g, '').toLowerCase();

const isAction = (action: string | null, wanted: string): boolean => action !== null && plain(action) === plain(wanted);

/** The instructions that read as the answer's, with or without a number: a route may have a sentence twice. */
function namedInstructions(text: string | null, instructions: readonly string[]): number[] {
  if (text === null) return [];
  const stated = plain(text.slice(0, 1000).replace(/^\s*\d{1,3}\.\s/, ''));
  return instructions.flatMap((instruction, i) => (plain(instruction) === stated ? [i] : []));
}

/** Whether an action is the one due at some point of the sentence that the answer names; by default the point's own. */
function fits(
  action: string | null,
  named: readonly number[],
  position: number,
  points: readonly RoutePoint[],
): boolean {
  const here = points[position]!;
  if (named.length === 0 || named.includes(here.instruction)) return isAction(action, here.action);
  return points.some(({ instruction, action: due }) => named.includes(instruction) && isAction(action, due));
}
