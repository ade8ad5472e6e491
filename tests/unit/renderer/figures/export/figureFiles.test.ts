/** Numbers and their provenance: CSV and JSON hold what is plotted; a PNG says its resolution; a manifest its files. */
import { describe, expect, it } from 'vitest';
import { defaultStyle, exportFrame, readStyle } from '../../../../../renderer/figures/export/exportStyle.ts';
import { figureJson, fileName } from '../../../../../renderer/figures/export/figureFiles.ts';
import { withResolution } from '../../../../../renderer/figures/export/pngFile.ts';
import { toCsv } from '../../../../../renderer/figures/figure.ts';
import { sampleFigures } from '../../exportSample.ts';

const figures = sampleFigures();
const source = { name: 'Sample', studyId: 's', provenance: () => ({ seeds: [0], settingsHash: 'abc' }) };
const named = (name: string) => figures.find((one) => one.name === name)!;

describe('CSV', () => {
  it('of a curve is what is drawn: every point of every series, once', () => {
    const figure = named('answerErrors').build(exportFrame(defaultStyle))!;
    const [header, ...lines] = toCsv(figure.table)
      .split('\r\n')
      .map((line) => line.split(','));
    const { series } = figure.option as {
      series: { name: string; xAxisIndex: number; data: { value: [number, number] }[] }[];
    };
    const splits = ['ID', 'OOD'];
    const columns: Record<string, string> = { 'numbers wrong (the rule)': 'numbers wrong' };
    let compared = 0;
    for (const { name, xAxisIndex, data } of series)
      for (const { value } of data) {
        const row = lines.find((cells) => Number(cells[1]) === value[0] && cells[2] === splits[xAxisIndex])!;
        const [count, n] = [Number(row[header!.indexOf(columns[name] ?? name)]), Number(row[3])];
        expect((100 * count) / n, `${name} at ${value[0]}`).toBeCloseTo(value[1], 9);
        compared += 1;
      }
    expect(compared).toBe(series.length * 6);
    expect(lines).toHaveLength(12);
  });
  it('of delta sigma and angles is what is drawn', () => {
    const { option, table } = named('attentionDeltaSigma').build(exportFrame(defaultStyle))!;
    const { series } = option as {
      series: { name: string; xAxisIndex: number; data: { value: [number, number] }[] }[];
    };
    const column = table.columns.indexOf('delta sigma');
    series
      .filter(({ name }) => name === 'measured')
      .forEach(({ data }, panel) => {
        const rows = table.rows.slice(3 * panel, 3 * panel + 3);
        expect(data.map(({ value }) => value[1])).toEqual(rows.map((row) => row[column]));
      });
    const angles = named('anglesFromBase').build(exportFrame(defaultStyle))!;
    const left = angles.table.rows.filter((row) => row[1] === 'end' && row[3] === 'left').map((row) => Number(row[5]));
    const drawn = (angles.option as typeof option & { series: { name: string; data: { value: [number, number] }[] }[] })
      .series;
    const curve = drawn.find(({ name }) => name === 'base to SFT_End')!;
    expect(curve.data.map(({ value }) => (value[1] * Math.PI) / 180)).toEqual(
      left.map((rad): unknown => expect.closeTo(rad, 12)),
    );
  });
});

it('JSON holds the numbers, how they were drawn, and where they come from', () => {
  const figure = named('accuracy');
  const document = JSON.parse(figureJson(figure, defaultStyle, source, new Date('2026-01-02T03:04:05Z'))) as object;
  expect(document).toMatchObject({
    format: 'rotascope-figure',
    version: 1,
    name: 'accuracy',
    paperFigures: '3, 10',
    data: figure.build(exportFrame(defaultStyle))!.table,
    drawnWith: { palette: 'okabeIto', widthIn: 3.3, fontPt: 8 },
    exportedAt: '2026-01-02T03:04:05.000Z',
    provenance: { seeds: [0], settingsHash: 'abc' },
  });
});

it('a figure without data is refused with the next step', () => {
  const empty = { ...named('accuracy'), build: () => null };
  expect(() => figureJson(empty, defaultStyle, source, new Date())).toThrow(/nothing to draw yet/);
});

it('a PNG says 300 dpi in a chunk with the right checksum, before its data', () => {
  // The smallest PNG: 1 x 1, from the specification's own chunks.
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  const file = Buffer.from(withResolution(png, 300));
  expect(file.subarray(33, 41).toString('latin1')).toBe('\0\0\0\u0009pHYs');
  expect([file.readUInt32BE(41), file.readUInt32BE(45), file[49]]).toEqual([11811, 11811, 1]);
  // Of this very chunk, by zlib.crc32.
  expect(file.readUInt32BE(50)).toBe(0x78a53f76);
  expect(file.subarray(54).equals(png.subarray(33))).toBe(true);
});

it('names are those of every file system', () => {
  expect(fileName('reversionsSft')).toBe('reversions-sft');
  expect(fileName('Ω/../"a"')).toBe('a');
  expect(fileName('///')).toBe('figure');
});

it('a stored style that cannot be drawn becomes one that can', () => {
  expect(readStyle({})).toEqual(defaultStyle);
  expect(readStyle({ palette: 'neon', widthIn: -1, heightIn: 99, fontPt: 'big' })).toEqual({
    ...defaultStyle,
    heightIn: 4,
  });
  expect(readStyle({ palette: 'grey', widthIn: 6.9, heightIn: 3, fontPt: 9 })).toEqual({
    palette: 'grey',
    widthIn: 6.9,
    heightIn: 3,
    fontPt: 9,
  });
});
