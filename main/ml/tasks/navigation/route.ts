/**
 * A route and the points on it where an action is due. It starts with a heading; every leg turns to a new heading, goes
 * forward past some points and ends at an intersection, the last one at the destination. Turning moves on to the leg's
 * first point, as in the published environment.
 */
import type { Split } from '../task.ts';
import { type CompassPoint, relativeTurn } from './headings.ts';

export interface Leg {
  headingDeg: number;
  /** The compass point of the heading. */
  facing: CompassPoint;
  /** Points between the leg's two ends, at each of which `forward()` is due. */
  forwards: number;
  /** What is seen at its end, e.g. "Harbor Bakery is on your left"; null when nothing is. */
  landmark: string | null;
}

export interface Route {
  initialHeadingDeg: number;
  /** At least one; the last one ends at the destination and has a landmark. */
  legs: readonly Leg[];
}

/** What is seen at a point, the sentence that is due, and the right action. */
export interface RoutePoint {
  observation: string;
  atIntersection: boolean;
  /** Index into the instructions. */
  instruction: number;
  action: string;
}

/** The sentences, two a leg. The turns name both the relative turn and the compass point. */
export function instructionsOf(route: Route): string[] {
  let heading = route.initialHeadingDeg;
  return route.legs.flatMap(({ headingDeg, facing, landmark }, i) => {
    const turn = relativeTurn(heading, headingDeg);
    heading = headingDeg;
    const last = i === route.legs.length - 1;
    const goal = last ? 'destination' : 'next intersection';
    return [
      `${i === 0 ? 'First, turn' : 'Turn'} ${turn} to face ${facing}.`,
      `Move forward until you reach ${goal}${landmark === null ? '' : ` where ${landmark}`}.`,
    ];
  });
}

export const nothingNearby = 'No landmarks nearby';
export const intersectionSeen = 'You observe an intersection';

/** @returns in order; the last one's action is `stop()` */
export function pointsOf(route: Route, split: Split): RoutePoint[] {
  const points: RoutePoint[] = [];
  let heading = route.initialHeadingDeg;
  let seen: string | null = null;
  route.legs.forEach((leg, i) => {
    const atIntersection = i > 0;
    const { headingDeg, forwards, landmark } = leg;
    const action = turnAction(split, heading, leg);
    points.push({ observation: observe(seen, atIntersection), atIntersection, instruction: 2 * i, action });
    for (let step = 0; step < forwards; step++)
      points.push({
        observation: observe(null, false),
        atIntersection: false,
        instruction: 2 * i + 1,
        action: 'forward()',
      });
    heading = headingDeg;
    seen = landmark;
  });
  const instruction = 2 * route.legs.length - 1;
  points.push({ observation: observe(seen, false), atIntersection: false, instruction, action: 'stop()' });
  return points;
}

/** inDist turns to a compass point, ood relative to the heading. */
function turnAction(split: Split, fromDeg: number, { headingDeg, facing }: Leg): string {
  return `turn_direction(${split === 'inDist' ? facing : relativeTurn(fromDeg, headingDeg)})`;
}

function observe(landmark: string | null, atIntersection: boolean): string {
  return `${landmark ?? nothingNearby};${atIntersection ? ` ${intersectionSeen}` : ''}`;
}
