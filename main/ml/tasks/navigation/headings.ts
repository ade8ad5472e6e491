/** Headings in degrees clockwise from north, their compass points, and turns relative to the present heading. */

export const compassPoints = [
  'north',
  'northeast',
  'east',
  'southeast',
  'south',
  'southwest',
  'west',
  'northwest',
] as const;
export type CompassPoint = (typeof compassPoints)[number];

export const relativeTurns = ['left', 'right', 'slightly left', 'slightly right'] as const;
export type RelativeTurn = (typeof relativeTurns)[number];

/** The nearest of the eight points; halfway goes clockwise. */
export function compassPoint(headingDeg: number): CompassPoint {
  return compassPoints[Math.floor((((headingDeg % 360) + 360) % 360) / 45 + 0.5) % 8]!;
}

export const headingOf = (point: CompassPoint): number => compassPoints.indexOf(point) * 45;

/** The difference of two headings, wrapped to (-180, 180]. */
export function wrapDeg(differenceDeg: number): number {
  const wrapped = ((differenceDeg % 360) + 360) % 360;
  return wrapped > 180 ? wrapped - 360 : wrapped;
}

/**
 * Up to 45 degrees is a slight turn; none at all counts as slightly left, a turn back as right. The published code did
 * not wrap the difference: from northwest (315) to north it read left.
 */
export function relativeTurn(fromDeg: number, toDeg: number): RelativeTurn {
  const difference = wrapDeg(toDeg - fromDeg);
  if (difference < -45) return 'left';
  if (difference > 45) return 'right';
  return difference <= 0 ? 'slightly left' : 'slightly right';
}
