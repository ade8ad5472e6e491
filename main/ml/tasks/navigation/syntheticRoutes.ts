/**
 * Seeded routes of the published form: the published ones are street data that cannot be shipped. A walk on a square grid
 * with diagonals that never crosses itself and never goes straight on or back; at most intersections, and always at the
 * destination, an invented landmark is seen on one of six sides. No landmark comes twice on a route.
 */
import type { Philox } from '../../random/philox.ts';
import { compassPoint } from './headings.ts';
import type { Leg, Route } from './route.ts';

export interface RouteShape {
  /** Legs of a route, from and to. */
  legs: readonly [number, number];
  /** Points between two intersections, from and to. */
  forwards: readonly [number, number];
}

/** As long as a published route with most of its points dropped: 3 to 6 turns, about 16 actions. */
export const defaultShape: RouteShape = { legs: [3, 6], forwards: [1, 3] };

const landmarkShare = 0.7;
const turnsDeg = [-135, -90, -45, 45, 90, 135];
const sides = ['right front', 'right', 'right behind', 'left behind', 'left', 'left front'];

const names =
  'Amber Birch Cedar Copper Coral Crescent Dover Elm Fairview Garnet Harbor Hazel Ivory Juniper Larch Linden Maple Marble Meadow Orchard Pearl Quarry River Saffron Silver Summit Thistle Union Walnut Willow'.split(
    ' ',
  );
const places =
  'Academy Bakery Bank Bookshop Cafe Chapel Cinema Clinic Deli Diner Florist Gallery Garage Gym Hotel Library Market Museum Pharmacy Playhouse School Station Tailor Theater'.split(
    ' ',
  );

/** @returns null when the walk ran into itself: draw again */
export function drawRoute(shape: RouteShape, random: Philox): Route | null {
  const legCount = between(shape.legs, random);
  const initialHeadingDeg = random.int(360);
  const visited = new Set(['0,0']);
  const landmarks = new Set<string>();
  const legs: Leg[] = [];
  let [x, y] = [0, 0];
  let headingDeg = 45 * random.int(8);
  if (headingDeg === initialHeadingDeg) return null;
  for (let i = 0; i < legCount; i++) {
    if (i > 0) headingDeg = (headingDeg + random.choice(turnsDeg) + 360) % 360;
    const forwards = between(shape.forwards, random);
    for (let step = 0; step <= forwards; step++) {
      [x, y] = [x + gridStep(headingDeg, 90), y + gridStep(headingDeg, 0)];
      if (visited.has(`${x},${y}`)) return null;
      visited.add(`${x},${y}`);
    }
    const last = i === legCount - 1;
    const seen = last || random.uniform() < landmarkShare;
    const landmark = seen ? drawLandmark(last, landmarks, random) : null;
    legs.push({ headingDeg, facing: compassPoint(headingDeg), forwards, landmark });
  }
  return { initialHeadingDeg, legs };
}

const between = ([from, to]: readonly [number, number], random: Philox): number => from + random.int(to - from + 1);

/** -1, 0 or 1 cells along the axis that points to `axisDeg`. */
const gridStep = (headingDeg: number, axisDeg: number): number =>
  Math.round(Math.cos(((headingDeg - axisDeg) * Math.PI) / 180));

function drawLandmark(last: boolean, taken: Set<string>, random: Philox): string {
  for (;;) {
    const name = `${random.choice(names)} ${random.choice(places)}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return `${last ? 'The destination ' : ''}${name} is on your ${random.choice(sides)}`;
  }
}
