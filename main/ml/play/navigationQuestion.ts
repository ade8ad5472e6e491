/** A point on a synthetic route. A route has too much in it to be typed: its number names it, under either rule the same one. */
import { AppError } from '../../contract/errors.ts';
import type { PlayField } from '../../contract/play.ts';
import { navigation } from '../tasks/navigation/navigation.ts';
import type { TextQuestion } from './textPlay.ts';
import { fieldValue } from './fieldValue.ts';

const routes = 1_000_000;
const task = navigation();

const routeField: PlayField = {
  name: 'route',
  label: 'Route',
  choices: [],
  hint: `A number from 0 to ${routes - 1}: each is a route that no training set has.`,
};
const pointField: PlayField = {
  name: 'point',
  label: 'Point on the route',
  choices: [],
  hint: '1 is the start; the history up to there is given.',
  initial: '1',
};

/** @throws INVALID_REQUEST */
function whole(field: PlayField, inputs: Record<string, string>, from: number, to: number): number {
  const value = Number(fieldValue(field, inputs));
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new AppError('INVALID_REQUEST', `${field.label}: ${value} is not possible.`, {
    hint: `A whole number from ${from} to ${to}.`,
  });
}

const routeOf = (seed: number) => task.matchedEpisodes(1, seed);

export const navigationQuestion: TextQuestion = {
  name: 'navigation',
  fields: [routeField, pointField],
  rules: { inDist: 'turns are named by compass point', ood: 'turns are named relative to the present heading' },
  rightWords: 'The action is the one that is due.',
  example(random) {
    const route = random.int(routes);
    const points = task.examples(routeOf(route).inDist[0]!).length;
    return { route: String(route), point: String(1 + random.int(points)) };
  },
  ask(inputs, split) {
    const episode = routeOf(whole(routeField, inputs, 0, routes - 1))[split][0]!;
    const position = whole(pointField, inputs, 1, task.examples(episode).length) - 1;
    return { task, episode, position };
  },
};
