/**
 * `node electron/packaging/icons.ts`: the icons of every system out of resources/icons/*.svg. Run it after a change of the
 * drawing; its results are kept in the repository. Chromium draws, so that an SVG looks as in a browser.
 */
import { IconIcns, IconIco } from '@shockpkg/icon-encoder';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { findChromium } from '../../main/bootstrap/testParts.mjs';

const folder = join(repositoryFolder, 'resources', 'icons');
/** Up to this size the small drawing is clearer, pixels. */
const smallUpTo = 48;
const sizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
/** Type codes of Apple's icon families by size in pixels. */
const icnsTypes: Record<number, string[]> = {
  16: ['icp4'],
  32: ['icp5', 'ic11'],
  64: ['ic12'],
  128: ['ic07'],
  256: ['ic08', 'ic13'],
  512: ['ic09', 'ic14'],
  1024: ['ic10'],
};
const icoSizes = [16, 24, 32, 48, 64, 128, 256];

async function drawAll(): Promise<Map<number, Uint8Array>> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage();
  const drawn = new Map<number, Uint8Array>();
  for (const size of sizes) {
    const svg = readFileSync(join(folder, size <= smallUpTo ? 'icon-small.svg' : 'icon.svg'), 'utf8');
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px }</style>${svg}`);
    drawn.set(size, await page.screenshot({ omitBackground: true }));
  }
  await browser.close();
  return drawn;
}

const drawn = await drawAll();
for (const [size, png] of drawn) writeFileSync(join(folder, `${size}x${size}.png`), png);
const ico = new IconIco();
// Raw pixels up to 48: what Windows reads at those sizes, whatever its version.
for (const size of icoSizes) await ico.addFromPng(drawn.get(size)!, size > smallUpTo, false);
writeFileSync(join(folder, 'icon.ico'), ico.encode());
const icns = new IconIcns();
for (const [size, types] of Object.entries(icnsTypes)) await icns.addFromPng(drawn.get(Number(size))!, types, false);
writeFileSync(join(folder, 'icon.icns'), icns.encode());
console.log(`Wrote ${sizes.length} PNG files, icon.ico and icon.icns to ${folder}`);
