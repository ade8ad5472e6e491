/** What leaves the lab as SVG: well-formed, plain, of the size asked for, with every series and its legend in it. */
import { describe, expect, it } from 'vitest';
import { paletteNames, type PaletteName } from '../../../../../renderer/figures/export/exportPalettes.ts';
import { defaultStyle, exportFrame, type ExportStyle } from '../../../../../renderer/figures/export/exportStyle.ts';
import { figurePart, partTitles } from '../../../../../renderer/figures/export/figurePart.ts';
import { svgFigure, svgLayout, type SvgFile } from '../../../../../renderer/figures/export/svgFigure.ts';
import { sampleFigures } from '../../exportSample.ts';
import { elementsOf, type XmlElement } from '../../xmlElements.ts';

const figures = sampleFigures();
const palettes = Object.keys(paletteNames) as PaletteName[];
const drawn = (name: string, style: Partial<ExportStyle> = {}): SvgFile => {
  const { title, build } = figures.find((one) => one.name === name)!;
  return svgFigure(title, build, { ...defaultStyle, ...style })!;
};
const attribute = (elements: XmlElement[], name: string): string[] =>
  elements.flatMap(({ attributes }) => attributes[name] ?? []);

interface LineSeries {
  type: string;
  name: string;
  color: string;
  data: { value: unknown[] }[];
}
/** Corners of a path: "M1 2L3 4L5 6" has three. */
const corners = (path: string): number => (path.match(/[ML]/g) ?? []).length;

describe.each(figures.map((figure) => [figure.name, figure] as const))('%s', (_name, figure) => {
  it.each(palettes)('is well-formed and plain in %s, at both widths', (palette) => {
    for (const widthIn of [3.3, 6.9]) {
      const svg = svgFigure(figure.title, figure.build, { ...defaultStyle, palette, widthIn })!;
      const elements = elementsOf(svg.text);
      expect(elements[0]!.attributes).toMatchObject({ width: `${widthIn}in` });
      expect(svg.widthIn).toBe(widthIn);
      expect([...new Set(elements.map(({ name }) => name))].join(' ')).toMatch(
        /^(?:(?:svg|title|desc|rect|path|text|g|defs|clipPath|linearGradient|stop|circle|polyline|polygon|line|tspan) ?)+$/,
      );
      for (const { attributes } of elements)
        for (const name of ['style', 'class', 'onclick', 'href']) expect(attributes).not.toHaveProperty(name);
      for (const color of [...attribute(elements, 'fill'), ...attribute(elements, 'stroke')])
        expect(color).toMatch(/^(?:none|#[0-9a-f]{3,6}|rgb\(\d+,\d+,\d+\)|url\(#[\w-]+\))$/i);
      for (const family of attribute(elements, 'font-family')) expect(family).toMatch(/^Helvetica/);
      expect(svg.text).not.toMatch(/NaN|undefined|Infinity|\[object/);
    }
  });

  it('holds every line with all its points, every legend entry, every axis', () => {
    const style: ExportStyle = { ...defaultStyle, widthIn: 6.9 };
    const { option } = figure.build(exportFrame(style))!;
    const { series, legend, xAxis, yAxis } = option as {
      series: LineSeries[];
      legend?: { data: string[] };
      xAxis: { name: string }[];
      yAxis: { name: string }[];
    };
    const elements = elementsOf(svgFigure(figure.title, figure.build, style)!.text);
    const paths = elements.filter(({ name }) => name === 'path' || name === 'polyline');
    for (const { type, color, data, name } of series) {
      if (type !== 'line' || data.length < 2) continue;
      const same = paths.filter(({ attributes }) => attributes['stroke'] === color);
      expect(
        same.some(({ attributes }) => corners(attributes['d'] ?? '') === data.length),
        `${name}, ${color}`,
      ).toBe(true);
    }
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
    for (const name of legend?.data ?? []) expect(texts).toContain(name);
    for (const { name } of [...xAxis, ...yAxis]) if (name !== '') expect(texts).toContain(name);
  });
});

it('text has the size asked for, in points', () => {
  for (const fontPt of [6, 8, 10]) {
    const { text, widthIn } = drawn('loss', { fontPt });
    const elements = elementsOf(text);
    const [, , widthPx] = elements[0]!.attributes['viewBox']!.split(' ').map(Number);
    const pointsToPx = (72 * widthIn) / widthPx!;
    const legend = elements.find((one) => one.text === 'OOD')!;
    expect(parseFloat(legend.attributes['font-size']!) * pointsToPx).toBeCloseTo(fontPt, 1);
  }
});

it('a height is kept, by the plots alone', () => {
  const own = drawn('loss');
  const lower = drawn('loss', { heightIn: own.heightIn - 1.5 });
  const higher = drawn('loss', { heightIn: own.heightIn + 2 });
  expect(lower.heightIn).toBeCloseTo(own.heightIn - 1.5, 2);
  expect(higher.heightIn).toBeCloseTo(own.heightIn + 2, 2);
  // Room for text is kept even where a height is asked for that has none.
  expect(drawn('loss', { heightIn: 1 }).heightIn).toBeGreaterThan(1);
});

it('in greys every colour is grey, and lines differ by dashes', () => {
  const elements = elementsOf(drawn('accuracy', { palette: 'grey' }).text);
  for (const color of [...attribute(elements, 'fill'), ...attribute(elements, 'stroke')]) {
    const hex = /^#(..)(..)(..)$/.exec(color);
    if (hex !== null) expect(new Set(hex.slice(1)).size, color).toBe(1);
  }
  const curves = elements.filter(({ attributes }) => corners(attributes['d'] ?? '') === 6);
  expect(new Set(curves.map(({ attributes }) => attributes['stroke-dasharray'] ?? 'solid')).size).toBeGreaterThan(1);
});

describe('panels', () => {
  const chosen = ['accuracy', 'loss', 'endpoints'].map((name) => figures.find((one) => one.name === name)!);
  it.each([1, 2] as const)('in %d columns are lettered, inside the width, without overlap', (columns) => {
    const svg = svgLayout('Panels', chosen, { columns, letters: true }, { ...defaultStyle, widthIn: 6.9 })!;
    const elements = elementsOf(svg.text);
    expect(elements.map(({ text }) => text).filter((text) => /^\([a-z]\)$/.test(text))).toEqual(['(a)', '(b)', '(c)']);
    const [, , widthPx, heightPx] = elements[0]!.attributes['viewBox']!.split(' ').map(Number);
    const groups = elements.filter(({ name, attributes }) => name === 'g' && attributes['transform'] !== undefined);
    const at = groups.map(({ attributes }) => attributes['transform']!.match(/[\d.]+/g)!.map(Number));
    expect(at).toHaveLength(3);
    expect(new Set(at.map(([x]) => x)).size).toBe(columns);
    for (const [x, y] of at) {
      expect(x).toBeLessThan(widthPx!);
      expect(y).toBeLessThan(heightPx!);
    }
    const ids = elements.flatMap(({ attributes }) => attributes['id'] ?? []);
    expect(new Set(ids).size, 'ids of the panels are their own').toBe(ids.length);
  });
  it('fill the height asked for', () => {
    const options = { columns: 2, letters: true } as const;
    const own = svgLayout('Panels', chosen, options, { ...defaultStyle, widthIn: 6.9 })!;
    const wanted = own.heightIn + 1;
    const svg = svgLayout('Panels', chosen, options, { ...defaultStyle, widthIn: 6.9, heightIn: wanted })!;
    expect(svg.heightIn).toBeCloseTo(wanted, 1);
  });
  it('can be one plot of a figure: its series, its axes, over the whole width', () => {
    const loss = figures.find(({ name }) => name === 'loss')!;
    const frame = exportFrame({ ...defaultStyle, widthIn: 6.9 });
    const whole = loss.build(frame)!;
    expect(partTitles(whole)).toEqual(['All tokens', 'Format', 'Number (the rule)', 'Formula (arithmetic)']);
    const part = figurePart(loss, 2).build(frame)!;
    const { series, title, grid } = part.option as {
      series: { data: unknown }[];
      title: { text: string }[];
      grid: { left: number; width: number }[];
    };
    const all = (whole.option as { series: { xAxisIndex: number; data: unknown }[] }).series;
    expect(series.map(({ data }) => data)).toEqual(all.filter((one) => one.xAxisIndex === 2).map(({ data }) => data));
    expect(title.map(({ text }) => text)).toEqual(['Number (the rule)']);
    expect(grid[0]!.left + grid[0]!.width).toBeGreaterThan(frame.widthPx - 30);
    expect(part.heightPx).toBeLessThan(whole.heightPx);
    const texts = elementsOf(svgFigure('Part', () => part, defaultStyle)!.text).map(({ text }) => text);
    expect(texts).toContain('OOD');
    expect(texts, 'only the first plot has the training loss').not.toContain('train');
  });
  it('without anything to draw are nothing', () => {
    expect(svgLayout('Panels', [], { columns: 1, letters: true }, defaultStyle)).toBeNull();
  });
});
