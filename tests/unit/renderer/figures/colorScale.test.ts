import { describe, expect, it } from 'vitest';
import { colorScale, rampColor, textOn } from '../../../../renderer/figures/colorScale.ts';
import { darkCharts, lightCharts } from '../../../../renderer/figures/palette.ts';

describe('colorScale', () => {
  it('puts a ratio of 1 in the middle, and x and 1/x alike on both sides', () => {
    const scale = colorScale('ratio', [0.9, 4], lightCharts);
    expect(scale.at(1)).toBe(0);
    expect(scale.at(4)).toBe(-scale.at(0.25)!);
    expect([scale.low, scale.high]).toEqual([-2, 2]);
    expect([scale.lowText, scale.highText]).toEqual(['0.25', '4']);
    const middle = lightCharts.diverging[3]!;
    const hex = rampColor(scale, 0).map((value) => Math.round(value).toString(16).padStart(2, '0'));
    expect(`#${hex.join('')}`).toBe(middle);
  });
  it('ends the colours of ratios at a factor, and says so', () => {
    const scale = colorScale('ratio', [1e-4, 0.5, 2], lightCharts);
    expect([scale.low, scale.high, scale.lowText, scale.highText]).toEqual([-5, 5, '≤ 0.031', '≥ 32']);
    expect(scale.at(1e-4)).toBe(-5);
    expect(scale.at(2)).toBe(1);
  });
  it('takes the values of a long trajectory', () => {
    const values = Array.from({ length: 300_000 }, (_, index) => 1 + (index % 7));
    expect(colorScale('sequential', values, lightCharts)).toMatchObject({ low: 1, high: 7 });
  });
  it('puts 0 of a signed quantity in the middle', () => {
    const scale = colorScale('signed', [-1, 8], lightCharts);
    expect([scale.low, scale.high]).toEqual([-8, 8]);
  });
  it('spans what is there of a quantity without a neutral point, also by powers of ten', () => {
    expect(colorScale('sequential', [3, 1, 2], lightCharts)).toMatchObject({
      low: 1,
      high: 3,
      ramp: lightCharts.scale,
    });
    expect(colorScale('log', [1e-8, 1e-5], lightCharts)).toMatchObject({ low: -8, high: -5, highText: '1.00e-5' });
  });
  it('has no place for what is no number, and one at the end for a ratio of 0', () => {
    const scale = colorScale('ratio', [0, 0.5, 1], lightCharts);
    expect(scale.at(NaN)).toBeNull();
    expect(scale.at(0)).toBe(scale.low);
    expect(Number.isFinite(scale.low)).toBe(true);
    expect(colorScale('log', [0, 1], lightCharts).at(0)).toBeNull();
  });
  it.each([
    ['no values', []],
    ['one value', [2]],
    ['equal values', [3, 3]],
  ])('has two ends with %s', (_name, values) => {
    for (const kind of ['sequential', 'log', 'ratio', 'signed'] as const) {
      const scale = colorScale(kind, values, lightCharts);
      expect(scale.high).toBeGreaterThan(scale.low);
      expect(`${scale.lowText}${scale.highText}`).not.toContain('NaN');
    }
  });
});

describe.each([lightCharts, darkCharts])('text on cells, $name', (theme) => {
  const channel = (value: number): number =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = ([red, green, blue]: number[]): number =>
    0.2126 * channel(red!) + 0.7152 * channel(green!) + 0.0722 * channel(blue!);
  it.each(['sequential', 'ratio'] as const)('has 4.5:1 wherever it stands on a %s ramp', (kind) => {
    const scale = colorScale(kind, kind === 'ratio' ? [0.25, 4] : [0, 1], theme);
    for (let index = 0; index <= 60; index += 1) {
      const position = scale.low + (index / 60) * (scale.high - scale.low);
      const text = textOn(scale, position);
      const rgb = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
      const [light, dark] = [luminance(rgb), luminance(rampColor(scale, position))].sort((a, b) => b - a);
      expect((light! + 0.05) / (dark! + 0.05), `${kind} at ${position}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});
