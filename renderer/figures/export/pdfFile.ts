/// <reference types="vite/client" />
/**
 * A figure as PDF: its SVG as vectors, its text as text. Helvetica is one of the fonts that every reader has and covers
 * Latin; a line with other characters (arrows, Greek) is set in DejaVu Sans, of which the glyphs used are embedded.
 */
import dejaVuAddress from 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf?url';
import type { jsPDF } from 'jspdf';
import { pointsPerInch } from './exportStyle.ts';
import type { SvgFile } from './svgFigure.ts';

const embedded = 'DejaVuSans';
/** Of Windows-1252, what figures use beside Latin-1. */
const inHelvetica = /^[\u0020-\u007e\u00a0-\u00ff–—‘’“”†•…€™]*$/;

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

async function embedFont(pdf: jsPDF, texts: Element[]): Promise<void> {
  const others = texts.filter((text) => !inHelvetica.test(text.textContent));
  if (others.length === 0) return;
  const font = await (await fetch(dejaVuAddress)).arrayBuffer();
  pdf.addFileToVFS('DejaVuSans.ttf', base64(new Uint8Array(font)));
  pdf.addFont('DejaVuSans.ttf', embedded, 'normal');
  for (const text of others) {
    text.setAttribute('font-family', embedded);
    text.setAttribute('font-weight', 'normal');
  }
}

export async function pdfFile(svg: SvgFile, title: string): Promise<Uint8Array> {
  // Half a megabyte that only an export needs.
  const [{ jsPDF }, { svg2pdf }] = await Promise.all([import('jspdf'), import('svg2pdf.js')]);
  const [width, height] = [svg.widthIn * pointsPerInch, svg.heightIn * pointsPerInch];
  const orientation = width > height ? 'landscape' : 'portrait';
  const pdf = new jsPDF({ unit: 'pt', format: [width, height], orientation, compress: true, putOnlyUsedFonts: true });
  pdf.setProperties({ title, creator: 'Rotascope' });
  const root = new DOMParser().parseFromString(svg.text, 'image/svg+xml').documentElement;
  await embedFont(pdf, [...root.querySelectorAll('text')]);
  await svg2pdf(root, pdf, { x: 0, y: 0, width, height });
  return new Uint8Array(pdf.output('arraybuffer'));
}
