/**
 * Colours that stand beside each other in a figure can be told apart, also with the three kinds of dichromacy (simulated as
 * by Viénot, Brettel and Mollon 1999, in linear RGB; tritanopia by the same projection, an approximation); in greys by their
 * lightness.
 */
import { describe, expect, it } from 'vitest';
import { exportTheme } from '../../../../../renderer/figures/export/exportPalettes.ts';
import type { ChartTheme } from '../../../../../renderer/figures/palette.ts';

type Triple = [number, number, number];
const linear = (channel: number): number => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
const linearRgb = (hex: string): Triple =>
  [1, 3, 5].map((at) => linear(parseInt(hex.slice(at, at + 2), 16) / 255)) as Triple;
const times = (matrix: Triple[], vector: Triple): Triple =>
  matrix.map((row) => row.reduce((sum, value, index) => sum + value * vector[index]!, 0)) as Triple;

/** Linear RGB as each kind of vision sees it. */
const visions: Record<string, Triple[]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
  deuteranopia: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
  tritanopia: [[1, 0.14461, -0.14461], [0, 0.85924, 0.14076], [0, 0.85924, 0.14076]],
}; // prettier-ignore

/** CIE L*a*b* (D65) of linear sRGB. */
function lab(rgb: Triple): Triple {
  const xyz = times([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], rgb); // prettier-ignore
  const [x, y, z] = xyz.map((value, index) => {
    const ratio = Math.max(0, value) / [0.9505, 1, 1.089][index]!;
    return ratio > 216 / 24389 ? Math.cbrt(ratio) : (24389 / 27 * ratio + 16) / 116; // prettier-ignore
  }) as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const distance = (a: Triple, b: Triple): number => Math.hypot(...a.map((value, index) => value - b[index]!));

/** Marks that one figure shows beside each other. */
const groups = (theme: ChartTheme): Record<string, string[]> => ({
  splits: [theme.inDist, theme.ood, theme.train],
  arms: [theme.arms.ppoAnchor, theme.arms.ppoPlain, theme.arms.anchorOnly],
  edits: [theme.edits.singularValues, theme.edits.singularVectors, theme.edits.both],
  curves: [theme.matrices[0]!, theme.matrices[1]!, theme.neutral],
  errors: [theme.matrices[6]!, theme.matrices[1]!, theme.matrices[0]!],
  'two runs': [theme.checkpoints.end, theme.penalised],
});
const pairs = (colors: string[]): [string, string][] =>
  colors.flatMap((a, index) => colors.slice(index + 1).map((b): [string, string] => [a, b]));

/** Of CIE 1976: 2.3 is just noticeable on large patches; lines need several times that. */
const leastDistance = 15;
const leastLightness = 9;

describe('Okabe-Ito', () => {
  describe.each(Object.entries(visions))('%s', (_name, vision) => {
    it.each(Object.entries(groups(exportTheme('okabeIto'))))('%s differ', (_group, colors) => {
      for (const [a, b] of pairs(colors)) {
        const seen = distance(lab(times(vision, linearRgb(a))), lab(times(vision, linearRgb(b))));
        expect(seen, `${a} and ${b}`).toBeGreaterThan(leastDistance);
      }
    });
  });
});

it('greys differ by lightness', () => {
  for (const [group, colors] of Object.entries(groups(exportTheme('grey'))))
    for (const [a, b] of pairs(colors)) {
      const difference = Math.abs(lab(linearRgb(a))[0] - lab(linearRgb(b))[0]);
      expect(difference, `${group}: ${a} and ${b}`).toBeGreaterThan(leastLightness);
    }
});
