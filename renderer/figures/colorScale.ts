/**
 * Where a number stands on a ramp of colours. A quantity with a neutral point (a ratio to its null: 1; a signed share: 0)
 * gets a diverging ramp around it, alike on both sides, so that colour says "above or below" and never invents a middle.
 */
import { decimal } from './quantities.ts';
import type { ChartTheme } from './palette.ts';

/** `log`: sequential over powers of ten. `ratio`: diverging around 1, by factors. `signed`: diverging around 0. */
export type ScaleKind = 'sequential' | 'log' | 'ratio' | 'signed';

export interface ColorScale {
  ramp: string[];
  /** Ends of what `at` answers. */
  low: number;
  high: number;
  /** The number where colours are looked up; null where it has none (no number, or 0 on a scale of powers). */
  at(value: number): number | null;
  /** The ends as text, in the quantity's own numbers. */
  lowText: string;
  highText: string;
}

/** Factor from 1 where a ratio's colours end: one value near 0 would leave all the others pale. */
const furthestRatio = 32;

const finite = (values: number[]): number[] => values.filter(Number.isFinite);

/** Without spreading into arguments: a trajectory has hundreds of thousands of values. */
function extent(values: number[]): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** @param values of all cells, in any order; not finite ones are left out */
export function colorScale(kind: ScaleKind, values: number[], theme: ChartTheme): ColorScale {
  const diverging = kind === 'ratio' || kind === 'signed';
  const transform = kind === 'log' ? Math.log10 : kind === 'ratio' ? Math.log2 : (value: number): number => value;
  const back = (value: number): number => (kind === 'log' ? 10 ** value : kind === 'ratio' ? 2 ** value : value);
  const shown = finite(values.map(transform));
  const furthest = shown.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const isCut = kind === 'ratio' && furthest > Math.log2(furthestRatio);
  const reach = isCut ? Math.log2(furthestRatio) : furthest;
  const [least, most] = extent(shown);
  const low = diverging ? -reach : shown.length > 0 ? least : 0;
  const high = diverging ? reach : most > low ? most : low + 1;
  const number = (value: number): string => decimal(Number(value.toPrecision(2)));
  return {
    ramp: diverging ? theme.diverging : theme.scale,
    low,
    high,
    at: (value) => {
      const position = transform(value);
      // A ratio of 0 is as far below its null as the picture goes.
      if (position === -Infinity && kind === 'ratio') return low;
      if (!Number.isFinite(position)) return null;
      return isCut ? Math.min(high, Math.max(low, position)) : position;
    },
    lowText: `${isCut ? '≤ ' : ''}${number(back(low))}`,
    highText: `${isCut ? '≥ ' : ''}${number(back(diverging || most > low ? high : low))}`,
  };
}

const channel = (hex: string, index: number): number => parseInt(hex.slice(1 + 2 * index, 3 + 2 * index), 16);

/** The colour at `position` (between `low` and `high`) as red, green, blue, 0..255. */
export function rampColor({ ramp, low, high }: ColorScale, position: number): [number, number, number] {
  const share = Math.min(1, Math.max(0, (position - low) / (high - low || 1)));
  const left = Math.min(ramp.length - 2, Math.floor(share * (ramp.length - 1)));
  const rest = share * (ramp.length - 1) - left;
  const mix = (index: number): number =>
    (1 - rest) * channel(ramp[left]!, index) + rest * channel(ramp[left + 1]!, index);
  return [mix(0), mix(1), mix(2)];
}

/** Relative luminance, WCAG 2.2. */
function luminance(rgb: [number, number, number]): number {
  const [red, green, blue] = rgb.map((value) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

// Pure black: only with it one of the two has 4.5:1 on every colour.
const [darkText, lightText] = ['#000000', '#ffffff'];

/** Black or white, whichever reads better on the colour at `position`. */
export function textOn(scale: ColorScale, position: number): string {
  const ground = luminance(rampColor(scale, position));
  const dark = luminance([channel(darkText, 0), channel(darkText, 1), channel(darkText, 2)]);
  return (ground + 0.05) / (dark + 0.05) >= 1.05 / (ground + 0.05) ? darkText : lightText;
}
