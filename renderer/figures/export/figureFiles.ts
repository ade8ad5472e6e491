/** One figure in the formats that leave the lab, and what a folder of them says of itself. */
import { AppError } from '../../../main/contract/errors.ts';
import { toCsv, type NamedFigure } from '../figure.ts';
import { exportFrame, type ExportStyle } from './exportStyle.ts';
import { pdfFile } from './pdfFile.ts';
import { pngFile } from './pngFile.ts';
import type { FigureSource } from './provenance.ts';
import { svgFigure, type SvgFile } from './svgFigure.ts';

export const figureFormats = {
  svg: 'SVG, vector',
  pdf: 'PDF, vector',
  png: 'PNG, 300 dpi',
  csv: 'CSV, the plotted numbers',
  json: 'JSON, numbers and provenance',
};
export type FigureFormat = keyof typeof figureFormats;

export interface ExportFile {
  name: string;
  bytes: Uint8Array;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A name that every file system takes. */
export const fileName = (text: string): string =>
  text
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80) || 'figure';

/** What is asked of a figure that has nothing to draw yet. */
export function nothingDrawn(title: string): AppError {
  return new AppError('INVALID_REQUEST', `"${title}" has nothing to draw yet.`, { hint: 'Export it when it has.' });
}

/** Numbers, words and where they come from. */
export function figureJson(figure: NamedFigure, style: ExportStyle, source: FigureSource, now: Date): string {
  const drawn = figure.build(exportFrame(style));
  if (drawn === null) throw nothingDrawn(figure.title);
  const { name, title, note, paper = null } = figure;
  const document = {
    format: 'rotascope-figure',
    version: 1,
    name,
    title,
    note,
    paperFigures: paper,
    summary: drawn.summary,
    data: drawn.table,
    drawnWith: style,
    exportedAt: now.toISOString(),
    provenance: source.provenance(),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The vector formats and the image, all from one SVG. */
export async function svgAs(svg: SvgFile, format: 'svg' | 'pdf' | 'png', title: string): Promise<Uint8Array> {
  if (format === 'svg') return utf8(svg.text);
  return format === 'pdf' ? pdfFile(svg, title) : pngFile(svg);
}

/** @throws INVALID_REQUEST when the figure has nothing to draw */
export async function figureFile(
  figure: NamedFigure,
  format: FigureFormat,
  style: ExportStyle,
  source: FigureSource,
): Promise<ExportFile> {
  const name = `${fileName(figure.name)}.${format}`;
  if (format === 'json') return { name, bytes: utf8(figureJson(figure, style, source, new Date())) };
  if (format === 'csv') {
    const drawn = figure.build(exportFrame(style));
    if (drawn === null) throw nothingDrawn(figure.title);
    return { name, bytes: utf8(toCsv(drawn.table)) };
  }
  const svg = svgFigure(figure.title, figure.build, style);
  if (svg === null) throw nothingDrawn(figure.title);
  return { name, bytes: await svgAs(svg, format, figure.title) };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A figure, and what it comes from: figures of one gallery may come from a study and its ablations. */
export interface SourcedFigure {
  figure: NamedFigure;
  source: FigureSource;
}

/**
 * Every figure that has something to draw, in every format, and `manifest.json`: which file is which figure, its content
 * hash, and where all of them come from.
 * @param onProgress after each figure
 */
export async function allFigureFiles(
  figures: SourcedFigure[],
  formats: FigureFormat[],
  style: ExportStyle,
  onProgress: (done: number, total: number) => void,
): Promise<ExportFile[]> {
  const files: ExportFile[] = [];
  const listed: Record<string, unknown>[] = [];
  for (const [index, { figure, source }] of figures.entries()) {
    if (figure.build(exportFrame(style)) !== null) {
      const own: Record<string, string> = {};
      for (const format of formats) {
        const file = await figureFile(figure, format, style, source);
        files.push(file);
        own[file.name] = await sha256(file.bytes);
      }
      const { name, title, note, paper = null } = figure;
      listed.push({ name, title, note, paperFigures: paper, from: source.name, files: own });
    }
    onProgress(index + 1, figures.length);
    // Between figures the page answers.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const sources = [...new Map(figures.map(({ source }) => [source.name, source.provenance()])).values()];
  const manifest = {
    format: 'rotascope-figures',
    version: 1,
    exportedAt: new Date().toISOString(),
    drawnWith: style,
    figures: listed,
    provenance: sources,
  };
  return [...files, { name: 'manifest.json', bytes: utf8(`${JSON.stringify(manifest, null, 2)}\n`) }];
}
