/** WCAG 2.2 contrast of what is drawn and written, from the colours themselves. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { darkCharts, lightCharts, type ChartTheme } from '../../../../renderer/figures/palette.ts';

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

const marks = (theme: ChartTheme): [string, string][] => [
  ['inDist', theme.inDist],
  ['ood', theme.ood],
  ['train', theme.train],
  ['neutral', theme.neutral],
  ...Object.entries(theme.arms),
  ...Object.entries(theme.edits),
  ['end', theme.checkpoints.end],
  ['last', theme.checkpoints.last],
  ['peak', theme.checkpoints.peak],
];

describe.each([lightCharts, darkCharts])('figures, $name', (theme) => {
  it.each(marks(theme))('mark %s stands out from the surface by 3:1', (_name, color) => {
    expect(contrast(color, theme.surface)).toBeGreaterThanOrEqual(3);
  });
  it('text has 4.5:1', () => {
    expect(contrast(theme.ink, theme.surface)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(theme.muted, theme.surface)).toBeGreaterThanOrEqual(4.5);
  });
  it('arms have colours of their own', () => {
    const colors = Object.values(theme.arms);
    expect(new Set(colors).size).toBe(colors.length);
  });
});

describe('interface', () => {
  const css = readFileSync(new URL('../../../../renderer/styles/theme.css', import.meta.url), 'utf8');
  const blocks = css.split(':root').slice(1);
  const variables = (block: string): Record<string, string> =>
    Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, hex]) => [name!, hex!]));
  it.each(blocks.map((block, index) => [['light', 'dark'][index], variables(block)] as const))(
    'text of the %s theme has 4.5:1 on everything it stands on',
    (_name, colors) => {
      const on: [string, string[]][] = [
        ['ink', ['ground', 'surface', 'raised', 'sunken', 'accent-soft', 'bad-soft']],
        ['muted', ['ground', 'surface', 'raised', 'sunken']],
        ['accent', ['ground', 'surface', 'raised', 'accent-soft', 'sunken']],
        ['on-accent', ['accent', 'accent-hover']],
        ['good', ['good-soft']],
        ['warn', ['warn-soft', 'surface']],
        ['bad', ['bad-soft', 'surface', 'ground']],
      ];
      for (const [text, grounds] of on)
        for (const ground of grounds)
          expect(contrast(colors[text]!, colors[ground]!), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      expect(contrast(colors['control-line']!, colors['surface']!)).toBeGreaterThanOrEqual(3);
    },
  );
});
