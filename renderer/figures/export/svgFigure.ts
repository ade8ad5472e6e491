/**
 * Figures as SVG of a given width on paper: drawn off-screen by ECharts, one file for one figure or for panels (a), (b), ...
 * Plain SVG 1.1: literal colours, presentation attributes only (no style sheets, no scripts, nothing from elsewhere), so
 * that editors, LaTeX and the PDF writer read it alike.
 */
import { drawOffScreen } from '../chart.ts';
import type { Figure, FigureBuilder } from '../figure.ts';
import { exportFont, exportFrame, type ExportStyle } from './exportStyle.ts';
import { publication } from './publication.ts';

export interface SvgFile {
  text: string;
  /** On paper. */
  widthIn: number;
  heightIn: number;
}

export interface LayoutPanel {
  title: string;
  build: FigureBuilder;
}

export interface LayoutOptions {
  columns: 1 | 2;
  /** (a), (b), ... above the panels. */
  letters: boolean;
}

export const escapeXml = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

/** Middle of a line of text above its baseline, in parts of the font's size: Helvetica's, Arial's. */
const centralShift = '0.35em';

/** What is inside the drawing's `svg` element, without what only a page needs. */
function plainMarkup(svg: string): string {
  return (
    svg
      .replace(/^[^<]*<svg[^>]*>|<\/svg>\s*$/g, '')
      // Boxes of titles and legends that nobody sees.
      .replace(/<path[^>]* fill-opacity="0"[^>]* stroke-width="0"[^>]*><\/path>\n?/g, '')
      .replace(/ (?:class|pointer-events|ecmeta_[a-z_]+|xml:space)="[^"]*"/g, '')
      .replace(/ dominant-baseline="central"/g, ` dy="${centralShift}"`)
      .replace(/ style="([^"]*)"/g, (_, style: string) =>
        style
          .split(';')
          .map((rule) => rule.split(':').map((part) => part.trim()))
          .filter(([name, value]) => name !== undefined && value !== undefined && value !== '')
          // Half-bold weights are not in the standard fonts.
          .map(([name, value]) => ` ${name!}="${name === 'font-weight' && Number(value) >= 600 ? 'bold' : value!}"`)
          .join(''),
      )
      .trim()
  );
}

interface Drawn {
  markup: string;
  widthPx: number;
  heightPx: number;
}

function draw(figure: Figure, widthPx: number, wantedPx: number | null, style: ExportStyle): Drawn {
  const { option, heightPx } = publication(figure, style, wantedPx);
  return { markup: plainMarkup(drawOffScreen(option, widthPx, heightPx)), widthPx, heightPx };
}

function file(
  markup: string,
  widthPx: number,
  heightPx: number,
  title: string,
  text: string,
  style: ExportStyle,
): SvgFile {
  // Pixels are whole, the width on paper is as it was asked for.
  const { widthIn } = style;
  const heightIn = (heightPx / widthPx) * widthIn;
  const size = `width="${Number(widthIn.toFixed(4))}in" height="${Number(heightIn.toFixed(4))}in"`;
  return {
    widthIn,
    heightIn,
    text: [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" ${size} viewBox="0 0 ${widthPx} ${Number(heightPx.toFixed(2))}">`,
      `<title>${escapeXml(title)}</title>`,
      `<desc>${escapeXml(text)}</desc>`,
      `<rect width="${widthPx}" height="${Number(heightPx.toFixed(2))}" fill="#ffffff"/>`,
      markup,
      '</svg>\n',
    ].join('\n'),
  };
}

/** Pixels are whole: they are those of the width. */
const heightPxOf = (heightIn: number, widthPx: number, { widthIn }: ExportStyle): number =>
  (heightIn * widthPx) / widthIn;

/** One figure; null while it has nothing to draw. */
export function svgFigure(title: string, build: FigureBuilder, style: ExportStyle): SvgFile | null {
  const frame = exportFrame(style);
  const figure = build(frame);
  if (figure === null) return null;
  const wantedPx = style.heightIn === null ? null : heightPxOf(style.heightIn, frame.widthPx, style);
  const { markup, widthPx, heightPx } = draw(figure, frame.widthPx, wantedPx, style);
  return file(markup, widthPx, heightPx, title, figure.summary, style);
}

const [letterPx, columnGapPx, rowGapPx] = [20, 18, 10];
export const panelLetter = (index: number): string => `(${String.fromCharCode(97 + (index % 26))})`;

/**
 * Panels in one or two columns, row by row; those that have nothing to draw are left out. With a height, every row gets
 * its share of it by its own height.
 */
export function svgLayout(
  title: string,
  panels: LayoutPanel[],
  options: LayoutOptions,
  style: ExportStyle,
): SvgFile | null {
  const { columns, letters } = options;
  const { widthPx } = exportFrame(style);
  const cellPx = Math.floor((widthPx - columnGapPx * (columns - 1)) / columns);
  const figures = panels.flatMap(({ build }) => build(exportFrame(style, cellPx)) ?? []);
  if (figures.length === 0) return null;
  const abovePx = letters ? letterPx : 0;
  const rows = Array.from({ length: Math.ceil(figures.length / columns) }, (_, row) =>
    figures.slice(row * columns, (row + 1) * columns),
  );
  const ownPx = rows.map((row) => Math.max(...row.map(({ heightPx }) => heightPx)));
  const fixedPx = rows.length * abovePx + (rows.length - 1) * rowGapPx;
  const ownSum = ownPx.reduce((sum, px) => sum + px, 0);
  const wantedPx = style.heightIn === null ? ownSum : heightPxOf(style.heightIn, widthPx, style) - fixedPx;
  const parts: string[] = [];
  let topPx = 0;
  rows.forEach((row, at) => {
    const drawn = row.map((figure) => draw(figure, cellPx, (ownPx[at]! * wantedPx) / ownSum, style));
    drawn.forEach(({ markup }, column) => {
      const left = column * (cellPx + columnGapPx);
      const letter = panelLetter(at * columns + column);
      if (letters)
        parts.push(
          `<text x="${left + 4}" y="${(topPx + 14).toFixed(2)}" font-family="${exportFont}" font-size="13px" font-weight="bold" fill="#000000">${letter}</text>`,
        );
      parts.push(`<g transform="translate(${left} ${(topPx + abovePx).toFixed(2)})">\n${markup}\n</g>`);
    });
    topPx += abovePx + Math.max(...drawn.map(({ heightPx }) => heightPx)) + rowGapPx;
  });
  const summary = figures.map((figure, index) => `${panelLetter(index)} ${figure.summary}`).join(' ');
  return file(parts.join('\n'), widthPx, topPx - rowGapPx, title, summary, style);
}
