/** A figure: chart options, the numbers behind them as a table, and words for those who do not see it. */
import type { EChartsCoreOption } from 'echarts/core';
import type { ChartTheme } from './palette.ts';

/** Where a figure is drawn. */
export interface ChartFrame {
  theme: ChartTheme;
  widthPx: number;
  /** Where text is not set in the interface's font. */
  fontFamily?: string;
}

export interface FigureTable {
  columns: string[];
  rows: (string | number | null)[][];
}

export interface Figure {
  option: EChartsCoreOption;
  heightPx: number;
  table: FigureTable;
  /** One sentence: what the figure shows now. */
  summary: string;
  /** Marks that can be opened, in the order of the arrow keys; a mark of the chart with this `key` opens by a click. */
  picks?: FigurePick[];
}

export interface FigurePick {
  key: string;
  /** What is said of it when the arrow keys come to it. */
  label: string;
  /** Row and column, where the marks are cells of a grid: all four arrows move then. */
  at?: [row: number, column: number];
}

/** Pure: the same data and frame make the same figure. Null while there is nothing to draw. */
export type FigureBuilder = (frame: ChartFrame) => Figure | null;

/** A figure with its words: what pages, the gallery, exports and reports show of it. */
export interface NamedFigure {
  /** Stable: remembers whether it is shown as a table, and names its files. */
  name: string;
  title: string;
  /** What is drawn and how to read it. */
  note: string;
  /** What will appear here, and when. */
  empty: string;
  /** Figures of the paper that it corresponds to: "3, 10". */
  paper?: string;
  build: FigureBuilder;
}

const cell = (value: string | number | null): string => (value === null ? '' : String(value));

/** Tab-separated, for pasting into a spreadsheet. */
export function toTsv({ columns, rows }: FigureTable): string {
  const line = (cells: (string | number | null)[]): string =>
    cells.map((one) => cell(one).replace(/[\t\n]/g, ' ')).join('\t');
  return [columns, ...rows].map(line).join('\n');
}

/** Comma-separated (RFC 4180). */
export function toCsv({ columns, rows }: FigureTable): string {
  const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  return [columns, ...rows].map((row) => row.map((one) => quote(cell(one))).join(',')).join('\r\n');
}
