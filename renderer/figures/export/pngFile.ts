/**
 * A figure as PNG: its SVG drawn by the browser at the resolution asked for, and the resolution written into the file
 * (chunk pHYs, PNG specification 11.3.4.3), so that it has its size on paper wherever it is placed.
 */
import { AppError } from '../../../main/contract/errors.ts';
import type { SvgFile } from './svgFigure.ts';

export const pngDpi = 300;
const metersPerInch = 0.0254;

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** CRC-32 of PNG's chunks. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Signature (8 bytes) and IHDR (25): what every PNG begins with. */
const headBytes = 33;

/** @returns the PNG with its resolution stated */
export function withResolution(png: Uint8Array, dpi: number): Uint8Array {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  const perMeter = Math.round(dpi / metersPerInch);
  view.setUint32(0, 9);
  chunk.set([0x70, 0x48, 0x59, 0x73], 4); // pHYs
  view.setUint32(8, perMeter);
  view.setUint32(12, perMeter);
  chunk[16] = 1; // the unit is the metre
  view.setUint32(17, crc32(chunk.subarray(4, 17)));
  const file = new Uint8Array(png.length + chunk.length);
  file.set(png.subarray(0, headBytes));
  file.set(chunk, headBytes);
  file.set(png.subarray(headBytes), headBytes + chunk.length);
  return file;
}

function loadImage(address: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new AppError('INTERNAL', 'The browser could not draw the figure as an image.'));
    image.src = address;
  });
}

/** @throws INTERNAL when the browser cannot draw it */
export async function pngFile(svg: SvgFile): Promise<Uint8Array> {
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(svg.widthIn * pngDpi);
  canvas.height = Math.round(svg.heightIn * pngDpi);
  const address = URL.createObjectURL(new Blob([svg.text], { type: 'image/svg+xml' }));
  try {
    const image = await loadImage(address);
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  } finally {
    URL.revokeObjectURL(address);
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) {
    const hint = 'Export it narrower, or as SVG or PDF.';
    throw new AppError('INTERNAL', `The figure is too large for an image: ${canvas.width} x ${canvas.height}.`, {
      hint,
    });
  }
  return withResolution(new Uint8Array(await blob.arrayBuffer()), pngDpi);
}
