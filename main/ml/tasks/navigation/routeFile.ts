/**
 * Imports routes from JSON: our own form, or the published `route_infos.json`.
 *
 * Ours: {"routes": [{"initialHeadingDeg": 310, "legs": [{"headingDeg": 0, "forwards": 2, "landmark": "Harbor Bakery is
 * on your left"}, ...]}, ...]}. A leg without a landmark leaves it out or has null; the last leg must have one (it
 * describes the destination). Headings are whole degrees from north, clockwise.
 *
 * Published: [[route, ...], count], of each route
 * - `init_heading`: degrees; 0 or missing means "not given" (the published environment then draws one each time): here it
 *   is drawn once, from the route's content;
 * - `milestone_info`: text with one {...} block a leg, in it the lines "landmarks": "NAME is on your SIDE" (absent, or
 *   "No landmark nearby", where there is none) and "to_next_intersection_heading": "177 (south)".
 * Other fields (places, coordinates) are not read. How many points lie between intersections is not in the file: the
 * published environment thins them out at random; here every leg has `forwardsPerLeg` of them. The compass point is
 * the file's word; one that is more than 45 degrees off its degrees is refused. In our form it follows from the degrees.
 */
import { z } from 'zod';
import { AppError } from '../../../contract/errors.ts';
import { Philox } from '../../random/philox.ts';
import { compassPoint, compassPoints, headingOf, wrapDeg } from './headings.ts';
import type { Leg, Route } from './route.ts';

/** Generous to the published thousand routes, and small enough to be read at once. */
const largestFileChars = 64 * 1024 * 1024;
const mostRoutes = 20_000;
/** A prompt shows all that came before: the prompts of a route grow with the square of its points. */
const mostLegs = 40;
const mostForwards = 10;

const heading = z.number().int().min(-360).max(360);
/** Shown inside one line of a prompt. */
const landmarkText = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters');

const ownFileSchema = z.strictObject({
  routes: z
    .array(
      z.strictObject({
        initialHeadingDeg: heading,
        legs: z
          .array(
            z.strictObject({
              headingDeg: heading,
              forwards: z.number().int().min(0).max(mostForwards),
              landmark: landmarkText.nullish(),
            }),
          )
          .min(1)
          .max(mostLegs),
      }),
    )
    .min(1)
    .max(mostRoutes),
});

const publishedFileSchema = z.tuple([
  z
    .array(
      z.looseObject({ init_heading: z.number().min(0).max(360).nullish(), milestone_info: z.string().max(50_000) }),
    )
    .min(1)
    .max(mostRoutes),
  z.number().int().min(0),
]);

/** @throws INVALID_REQUEST naming the route and the field */
export function parseRouteFile(text: string, options: { forwardsPerLeg?: number } = {}): Route[] {
  if (text.length > largestFileChars)
    throw invalid(`The route file has ${text.length} characters; at most ${largestFileChars} are read.`);
  const value = parseJson(text);
  if (!Array.isArray(value)) {
    const { routes } = checked(ownFileSchema, value);
    return routes.map(({ initialHeadingDeg, legs }, i) => ending({ initialHeadingDeg, legs: legs.map(ownLeg) }, i));
  }
  const [routes] = checked(publishedFileSchema, value);
  return routes.map((route, i) => publishedRoute(route, i, options.forwardsPerLeg ?? 2));
}

function ownLeg(leg: { headingDeg: number; forwards: number; landmark?: string | null | undefined }): Leg {
  return { ...leg, facing: compassPoint(leg.headingDeg), landmark: leg.landmark ?? null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`The route file is not JSON: ${(error as Error).message}.`);
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw invalid(`The route file has at ${path.join('.') || 'its top level'}: ${message}.`);
}

function publishedRoute(
  {
    init_heading: given,
    milestone_info: milestones,
  }: { init_heading?: number | null | undefined; milestone_info: string },
  index: number,
  forwards: number,
): Route {
  const blocks = milestones.split('}').filter((block) => block.includes('{'));
  if (blocks.length === 0 || blocks.length > mostLegs)
    throw invalid(`Route ${index} of the file has ${blocks.length} legs in milestone_info; 1 to ${mostLegs} are read.`);
  const legs = blocks.map((block, i) => publishedLeg(block, `Route ${index}, leg ${i}`, forwards));
  const initialHeadingDeg = given ? Math.round(given) : new Philox('start heading', milestones).int(360);
  return ending({ initialHeadingDeg, legs }, index);
}

function publishedLeg(block: string, where: string, forwards: number): Leg {
  const next = fieldOf(block, 'to_next_intersection_heading');
  const [, degrees, point] = /^(\d{1,3}) ?\(([a-z]{4,9})\)$/.exec(next ?? '') ?? [];
  if (degrees === undefined || Number(degrees) > 360)
    throw invalid(`${where} has no to_next_intersection_heading such as "177 (south)".`);
  const headingDeg = Number(degrees) % 360;
  const facing = compassPoints.find((known) => known === point);
  if (facing === undefined || Math.abs(wrapDeg(headingDeg - headingOf(facing))) > 45)
    throw invalid(`${where} heads ${degrees} degrees, which is not ${point}.`);
  const landmark = fieldOf(block, 'landmarks');
  const nothing = landmark === null || /^no landmarks? nearby$/i.test(landmark);
  if (nothing) return { headingDeg, facing, forwards, landmark: null };
  const known = landmarkText.safeParse(landmark);
  if (!known.success) throw invalid(`${where} has a landmark that is not one line of 1 to 200 characters.`);
  return { headingDeg, facing, forwards, landmark: known.data };
}

/** The value of a line `"name": "value",` of a block; null when there is none. */
function fieldOf(block: string, name: string): string | null {
  for (const line of block.split('\n')) {
    const text = line.replace('{', '').trim().replace(/,$/, '');
    const colon = text.indexOf(':');
    if (colon < 0 || unquoted(text.slice(0, colon)) !== name) continue;
    return unquoted(text.slice(colon + 1));
  }
  return null;
}

const unquoted = (text: string): string => text.trim().replace(/^["']/, '').replace(/["']$/, '').trim();

function ending(route: Route, index: number): Route {
  if (route.legs.at(-1)!.landmark !== null) return route;
  throw invalid(`Route ${index} of the file has no landmark at its last leg, so that its destination is unknown.`);
}

function invalid(message: string): AppError {
  return new AppError('INVALID_REQUEST', message, {
    hint: 'Accepted are {"routes": [...]} and the published [[route, ...], count]; correct the file and import it again.',
  });
}
