/** What a PDF holds, read by pdf.js: sizes of its pages, its text as text, its fonts, and what is drawn on the first page. */
import { join } from 'node:path';
import { getDocument, OPS } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';

const standardFontDataUrl = `${join(repositoryFolder, 'node_modules/pdfjs-dist/standard_fonts')}/`;

export interface ReadPdf {
  pages: number;
  /** Of the first page, points. */
  size: [width: number, height: number];
  texts: string[];
  /** PostScript names. */
  fonts: string[];
  paths: number;
  /** A vector figure has none. */
  images: number;
}

export async function readPdf(bytes: Uint8Array): Promise<ReadPdf> {
  // pdf.js takes the buffer for itself.
  const task = getDocument({ data: new Uint8Array(bytes), standardFontDataUrl });
  const document = await task.promise;
  const page = await document.getPage(1);
  const [x0, y0, x1, y1] = page.view as [number, number, number, number];
  const { fnArray } = await page.getOperatorList();
  const content = await page.getTextContent();
  const items = content.items.flatMap((item) => ('str' in item ? [item] : []));
  const names = [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/\/BaseFont\s*\/([\w+-]+)/g),
  ].map(([, name]) => name!);
  const count = (...wanted: number[]): number => fnArray.filter((one: number) => wanted.includes(one)).length;
  const read = {
    pages: document.numPages,
    size: [x1 - x0, y1 - y0] as [number, number],
    texts: items.map(({ str }) => str).filter((text) => text.trim() !== ''),
    fonts: [...new Set(names)],
    paths: count(OPS.constructPath),
    images: count(OPS.paintImageXObject, OPS.paintInlineImageXObject, OPS.paintImageMaskXObject),
  };
  await task.destroy();
  return read;
}
