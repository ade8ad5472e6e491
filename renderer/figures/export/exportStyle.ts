/**
 * How a figure leaves the lab: palette, width on the page, height, size of its text. Figures are laid out in pixels with
 * text of 12 px (figures/panels.ts); on paper that text has `fontPt`, so the width in points decides how many pixels there
 * are to lay out in, and one figure serves a column of 3.3 inches and a page of 6.9.
 */
import type { ChartFrame } from '../figure.ts';
import { exportTheme, type PaletteName } from './exportPalettes.ts';

/** Helvetica in PDF (one of its standard fonts); Arial and Liberation Sans have the same widths. */
export const exportFont = 'Helvetica, Arial, sans-serif';

export interface ExportStyle {
  palette: PaletteName;
  widthIn: number;
  /** Null: as high as the figure wants to be. */
  heightIn: number | null;
  fontPt: number;
}

/** One column and two columns of a conference paper, and a slide. */
export const paperWidths = [
  { widthIn: 3.3, label: '3.3 in, one column' },
  { widthIn: 6.9, label: '6.9 in, two columns' },
  { widthIn: 10, label: '10 in, slide' },
];
export const fontSizes = [6, 7, 8, 9, 10, 12];
export const defaultStyle: ExportStyle = { palette: 'okabeIto', widthIn: 3.3, heightIn: null, fontPt: 8 };

/** A report is read on a page's width, each figure as high as it wants to be. */
export const reportStyle = (style: ExportStyle): ExportStyle => ({ ...style, widthIn: 6.9, heightIn: null });

export const pointsPerInch = 72;
/** Size of legends and axis names in the builders, px. */
const drawnTextPx = 12;

/** Pixels of the layout to a point on paper. */
const pxPerPoint = ({ fontPt }: ExportStyle): number => drawnTextPx / fontPt;
const inchesToPx = (inches: number, style: ExportStyle): number => inches * pointsPerInch * pxPerPoint(style);

/** Where the builders draw for paper; figures are light there whatever the window is. */
export const exportFrame = (style: ExportStyle, widthPx = inchesToPx(style.widthIn, style)): ChartFrame => ({
  theme: exportTheme(style.palette),
  widthPx: Math.round(widthPx),
  fontFamily: exportFont,
});

/** Whatever was stored or typed, as a style that can be drawn. */
export function readStyle(stored: Record<string, unknown>): ExportStyle {
  const number = (value: unknown, low: number, high: number, otherwise: number): number =>
    typeof value === 'number' && value >= low && value <= high ? value : otherwise;
  const { palette, widthIn, heightIn, fontPt } = stored;
  return {
    palette: palette === 'app' || palette === 'grey' ? palette : defaultStyle.palette,
    widthIn: number(widthIn, 2, 20, defaultStyle.widthIn),
    heightIn: typeof heightIn === 'number' ? number(heightIn, 1, 20, 4) : null,
    fontPt: number(fontPt, 5, 20, defaultStyle.fontPt),
  };
}
