/**
 * Navigation: instructions, the history of observations and actions, and one action to choose at every point. inDist
 * turns to a compass point, ood relative to the heading; the instructions name both. An episode is a whole route and
 * succeeds with `stop()` at the destination; at each point a wrong action may be tried again (twice in all, as published),
 * and the next point has its tries anew.
 *
 * Actions, fields of the answer, observations, instructions and rewards are those of the published environment; the words
 * around them are ours, and so are the routes, unless they are imported (routeFile.ts). Steps of an answer: `card` the
 * observation, `number` the instruction, `formula` the action, which is where the rule is applied.
 */
import { type AnswerPart, writeAnswer } from '../answerText.ts';
import { episodeSets } from '../episodeSets.ts';
import { defaultTestShare } from '../heldOut.ts';
import type { Split } from '../task.ts';
import type { Message, ProblemKeys, TextExample, TextTask } from '../textTask.ts';
import { compassPoints, relativeTurns } from './headings.ts';
import { type Route, type RoutePoint, instructionsOf, pointsOf } from './route.ts';
import { routeDialogue } from './routeDialogue.ts';
import { type RouteShape, defaultShape, drawRoute } from './syntheticRoutes.ts';
import {
  type NavigationRewards,
  instructionField,
  observationField,
  publishedRewards,
  verifyAction,
} from './verifyAction.ts';

export interface NavigationOptions {
  shape?: RouteShape;
  /** Imported routes, drawn from instead of synthetic ones. */
  routes?: readonly Route[];
  /** Share of routes held out from training, in 0..1. */
  testShare?: number;
  rewards?: NavigationRewards;
  /** Added to the last failed try at a point. */
  stepLimitReward?: number;
  /** `published` ends with a trailing comma; `json` is strict JSON. */
  answerStyle?: 'published' | 'json';
}

export function navigation(options: NavigationOptions = {}): TextTask<Route> {
  const { shape = defaultShape, routes, rewards = publishedRewards, stepLimitReward = -1 } = options;
  const verify: TextTask<Route>['verify'] = ({ problem, split }, answer, position) =>
    verifyAction(answer, problem, split, position, rewards);
  return {
    name: 'navigation',
    stepLabels: { format: 'format', card: 'observation', number: 'instruction', formula: 'action' },
    feedbackAttempts: 2,
    hasRule: true,
    ...episodeSets<Route>({
      name: 'navigation',
      testShare: options.testShare ?? defaultTestShare,
      draw: (_, random) => (routes ? random.choice(routes) : drawRoute(shape, random)),
      keys: (route) => keysOf(instructionsOf(route)),
      heldOutKey: (route) => keysOf(instructionsOf(route)).multiset,
      underOtherRule: (route) => route,
    }),
    examples: ({ problem, split }) => examplesOf(problem, split, options.answerStyle),
    rightEndings: ({ problem, split }, position) => [`${pointsOf(problem, split)[position]!.action}"`],
    verify,
    open: (episode, dialogue) =>
      routeDialogue(
        {
          points: pointsOf(episode.problem, episode.split).length,
          prompt: (position) => promptAt(episode.problem, episode.split, position),
          verify: (answer, position) => verify(episode, answer, position),
          stepLimitReward,
        },
        dialogue,
      ),
    keysOfPrompt,
  };
}

function examplesOf(route: Route, split: Split, style: NavigationOptions['answerStyle']): TextExample[] {
  const instructions = instructionsOf(route);
  return pointsOf(route, split).map((point, position) => ({
    prompt: promptAt(route, split, position),
    answer: writeAnswer(answerParts(point, instructions[point.instruction]!, style)),
  }));
}

const promptAt = (route: Route, split: Split, position: number): Message[] => [
  {
    role: 'user',
    content: promptText(split, instructionsOf(route), pointsOf(route, split).slice(0, position + 1)),
  },
];

function answerParts(point: RoutePoint, instruction: string, style: NavigationOptions['answerStyle']): AnswerPart[] {
  return [
    ['format', `{\n  "${observationField}": "`],
    ['card', insideQuotes(point.observation)],
    ['format', `",\n  "${instructionField}": "`],
    ['number', insideQuotes(instruction)],
    ['format', '",\n  "action": "'],
    ['formula', point.action],
    ['format', style === 'json' ? '"\n}' : '",\n}'],
  ];
}

const insideQuotes = (text: string): string => JSON.stringify(text).slice(1, -1);

const quoted = (words: readonly string[]): string => `[${words.map((word) => `'${word}'`).join(', ')}]`;

/** @param seen the points up to the present one, whose action is asked for */
function promptText(split: Split, instructions: readonly string[], seen: readonly RoutePoint[]): string {
  const directions =
    split === 'inDist'
      ? `turns you to the compass direction x, one of ${quoted(compassPoints)}`
      : `turns you by x relative to the direction you face, one of ${quoted(relativeTurns)}`;
  const history = seen.map(
    ({ observation, action }, i) => `O_${i + 1}: ${observation}\nA_${i + 1}:${i < seen.length - 1 ? ` ${action}` : ''}`,
  );
  return `[Task Description]
You are an expert in navigation. You will receive a list of instructions, and what you observed and did so far.
Find the instruction to be carried out now, and choose the action for it from the action space.

[Instruction]
${instructions.map((instruction, i) => `${i + 1}. ${instruction}`).join('\n')}

[Action space]
"forward()": moves you forward one step
"turn_direction(x)": ${directions}
"stop()": ends the navigation at the destination

[Observations and actions sequence]
${history.join('\n')}

[Output]
{
  "${observationField}": the latest observation of the sequence,
  "${instructionField}": the instruction to be carried out now,
  "action": one action of the action space,
}`;
}

/** The first turn depends on the start heading: without it two routes are the same streets. */
function keysOf(instructions: readonly string[]): ProblemKeys {
  const first = instructions[0]!.replace(/^First, turn (slightly )?(left|right) /, '');
  return {
    multiset: [first, ...instructions.slice(1)].join(' '),
    ordered: instructions.join(' '),
  };
}

function keysOfPrompt(prompt: readonly Message[]): ProblemKeys | null {
  for (const { role, content } of prompt) {
    const begin = content.indexOf('[Instruction]\n');
    const end = content.indexOf('\n\n', begin);
    if (role !== 'user' || begin < 0 || end < 0) continue;
    const lines = content.slice(begin, end).split('\n').slice(1);
    const instructions = lines.map((line) => line.replace(/^\d{1,3}\. /, ''));
    if (instructions.length > 0) return keysOf(instructions);
  }
  return null;
}
