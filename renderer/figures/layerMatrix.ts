/** Layer x matrix, one number a cell: the heat map that studies and comparisons share. */
import { colorScale, textOn, type ColorScale, type ScaleKind } from './colorScale.ts';
import type { ChartFrame, Figure, FigurePick } from './figure.ts';
import { still, tooltip } from './marks.ts';
import type { ChartTheme } from './palette.ts';
import { fontFamily, panels, textPx } from './panels.ts';
import { decimal } from './quantities.ts';

export interface LayerMatrixCell {
  weight: string;
  layer: number;
  matrix: string;
  /** Null: there is no such number for this matrix; its cell is grey. */
  value: number | null;
  /** What hovering says, after the weight's name. */
  tip: string;
  /** Signs after the number; the page explains them. */
  marks?: string;
  chosen?: boolean;
  pinned?: boolean;
}

export interface LayerMatrixSpec {
  /** Quantity with its unit. */
  title: string;
  scale: ScaleKind;
  matrices: readonly string[];
  layers: number[];
  cells: LayerMatrixCell[];
  /** Values that the colours span, where they are more than those of the cells: colours of several maps compare then. */
  scaleOver?: (number | null)[];
}

const manyLayers = [
  { above: 40, rowPx: 18, fontPx: 10 },
  { above: 14, rowPx: 24, fontPx: 11 },
  { above: 0, rowPx: 34, fontPx: 11 },
];
/** Narrower cells have no room for a number. */
const leastLabelPx = 34;
const leftPx = 58;
/** Bar and both its numbers. */
const keyPx = 220;

interface Drawing {
  scale: ColorScale;
  theme: ChartTheme;
  fontPx: number;
  labelled: boolean;
}

function datum(cell: LayerMatrixCell, { scale, theme, fontPx, labelled }: Drawing): object {
  const { weight, layer, matrix, value, tip, marks = '', chosen = false, pinned = false } = cell;
  const position = value === null ? null : scale.at(value);
  const text = position === null || value === null ? '–' : decimal(Number(value.toPrecision(3)));
  return {
    key: weight,
    value: [matrix, String(layer), position ?? 0],
    tip: `${weight}\n${tip}`,
    // Without a number it is no part of the scale.
    ...(position === null ? { visualMap: false } : {}),
    itemStyle: {
      ...(position === null ? { color: theme.grid } : {}),
      borderColor: chosen ? theme.ink : theme.surface,
      borderWidth: chosen ? 3 : 2,
    },
    label: {
      show: labelled,
      formatter: `${pinned ? '◆ ' : ''}${text}${marks === '' ? '' : ` ${marks}`}`,
      color: position === null ? theme.muted : textOn(scale, position),
      fontSize: fontPx,
      fontFamily,
    },
  };
}

/** Beside a long title there is no room for the key in a column of a paper: it gets a row of its own. */
export function keyRow(title: string, frame: ChartFrame): { legend?: string[] } {
  const titlePx = textPx(title, '600 12.5px', frame);
  return titlePx + leftPx + keyPx > frame.widthPx ? { legend: [''] } : {};
}

/** The key of the colours, at the right of the title. */
export function colorKey(scale: ColorScale, theme: ChartTheme): object {
  return {
    type: 'continuous',
    show: true,
    calculable: false,
    hoverLink: false,
    orient: 'horizontal',
    top: 7,
    right: 8,
    padding: 0,
    itemWidth: 11,
    itemHeight: 110,
    text: [scale.highText, scale.lowText],
    textGap: 7,
    textStyle: { color: theme.muted, fontSize: 11, fontFamily },
    min: scale.low,
    max: scale.high,
    dimension: 2,
    inRange: { color: scale.ramp },
  };
}

/** The cells as marks of a grid; their key is the weight's name. */
export function cellPicks({ matrices, layers, cells }: LayerMatrixSpec): FigurePick[] {
  return cells.map(({ weight, layer, matrix, tip }) => ({
    key: weight,
    label: `Layer ${layer}, ${matrix}. ${tip.replace(/\n/g, '; ')}`,
    at: [layers.indexOf(layer), matrices.indexOf(matrix)],
  }));
}

/** @returns drawing and summary; the table is the caller's, who knows the whole numbers */
export function layerMatrix(spec: LayerMatrixSpec, frame: ChartFrame): Omit<Figure, 'table'> {
  const { theme, widthPx } = frame;
  const { layers, matrices, cells } = spec;
  const { rowPx, fontPx } = manyLayers.find(({ above }) => layers.length > above) ?? manyLayers[0]!;
  const finite = (list: (number | null)[]): number[] => list.map((value) => value ?? NaN).filter(Number.isFinite);
  const values = finite(cells.map(({ value }) => value));
  const scale = colorScale(spec.scale, spec.scaleOver === undefined ? values : finite(spec.scaleOver), theme);
  const axis = {
    title: spec.title,
    x: { name: 'matrix', kind: 'category' as const, categories: [...matrices] },
    y: { name: 'layer', kind: 'category' as const, categories: layers.map(String), inverse: true, labelWidthPx: 30 },
  };
  const layout = {
    columns: 1,
    plotHeightPx: Math.max(110, rowPx * layers.length),
    leftPx,
    ...keyRow(spec.title, frame),
  };
  const { heightPx, ...axes } = panels([axis], layout, frame);
  const labelled = (widthPx - leftPx) / Math.max(1, matrices.length) >= leastLabelPx;
  // The chosen one last: its frame is not covered by its neighbours.
  const ordered = [...cells].sort((a, b) => Number(a.chosen ?? false) - Number(b.chosen ?? false));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      visualMap: colorKey(scale, theme),
      series: [
        {
          type: 'heatmap',
          xAxisIndex: 0,
          yAxisIndex: 0,
          data: ordered.map((cell) => datum(cell, { scale, theme, fontPx, labelled })),
          label: { show: labelled },
          emphasis: { itemStyle: { borderColor: theme.ink, borderWidth: 2 } },
        },
      ],
      tooltip: tooltip(theme, 'item'),
    },
    summary:
      values.length === 0
        ? `${spec.title} by layer and matrix: no numbers yet.`
        : `${spec.title} by layer and matrix: ${decimal(least)} to ${decimal(most)}.`,
  };
}
