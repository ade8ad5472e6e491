/** Figures leave the lab: one in every format, panels as one file, all with a manifest, and the report, read back here. */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { unzipSync } from 'fflate';
import type { Locator, Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { narrow, openPage, wide } from './browser.ts';
import { temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { readPdf } from './pdfText.ts';

/** What the browser hands over when `button` is clicked. */
async function downloaded(page: Page, button: Locator): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 120_000 }), button.click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** Drawn by the browser: its size, and how many pixels are neither white nor transparent. */
function pixelsOf(page: Page, png: Buffer): Promise<{ width: number; height: number; drawn: number }> {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let drawn = 0;
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255 && Math.min(data[at]!, data[at + 1]!, data[at + 2]!) < 250) drawn += 1;
    return { width: image.width, height: image.height, drawn };
  }, png.toString('base64'));
}

/** As the browser's own parser reads it: an error, or texts and colours of lines. */
function svgOf(page: Page, svg: string): Promise<{ error: string; width: string; texts: string[]; strokes: string[] }> {
  return page.evaluate((text) => {
    const root = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
    const all = (selector: string): Element[] => [...root.querySelectorAll(selector)];
    return {
      error: all('parsererror').map(({ textContent }) => textContent)[0] ?? '',
      width: root.getAttribute('width') ?? '',
      texts: all('text').map(({ textContent }) => textContent),
      strokes: all('path').flatMap((path) => path.getAttribute('stroke') ?? []),
    };
  }, svg);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const figure = (page: Page, title: string) => page.locator('main section.figure', { has: page.getByRole('heading', { name: title }) }); // prettier-ignore

describeWith([chromium], 'Figures in Chromium', () => {
  const lab = startLab();
  const folder = temporaryFolder('figures');
  afterAll(() => folder.remove());

  test('one figure of a study: every format, the clipboard, by keyboard', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: lab.engine.origin });
    const { id } = await lab.engine.call('studies.openSample', {});
    const result = await lab.engine.call('studies.result', { id });
    const sft = result.seeds[0]!.sft;
    await page.goto(`${lab.engine.origin}/studies/${id}`);
    const accuracy = figure(page, 'Accuracy of SFT');
    await accuracy.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
    await accuracy.focus();
    await page.keyboard.press('e');
    const menu = page.getByRole('dialog');
    await menu.getByRole('button', { name: 'SVG', exact: true }).waitFor();
    await picture('figure-export-light');
    const take = async (format: string) => {
      if (!(await menu.isVisible())) await accuracy.getByRole('button', { name: 'Export' }).click();
      return downloaded(page, menu.getByRole('button', { name: format, exact: true }));
    };

    const svg = await take('SVG');
    expect(svg.name).toBe('accuracy.svg');
    const drawing = await svgOf(page, svg.bytes.toString('utf8'));
    expect(drawing).toMatchObject({ error: '', width: '3.3in' });
    for (const text of [
      'ID',
      'OOD',
      'SFT step',
      'accuracy (%)',
      'All checkpoints',
      `peak ${result.seeds[0]!.peakStep}`,
    ])
      expect(drawing.texts).toContain(text);
    for (const color of ['#0072b2', '#d55e00']) expect(drawing.strokes).toContain(color);

    const pdf = await readPdf((await take('PDF')).bytes);
    expect(pdf).toMatchObject({ pages: 1, images: 0 });
    expect(pdf.size[0]).toBeCloseTo(3.3 * 72, 1);
    for (const text of ['ID', 'OOD', 'SFT step', 'All checkpoints']) expect(pdf.texts).toContain(text);
    for (const font of pdf.fonts) expect(font).toMatch(/^Helvetica/);
    expect(pdf.paths).toBeGreaterThan(sft.length);

    const png = await take('PNG');
    const dots = await pixelsOf(page, png.bytes);
    expect(dots.width).toBe(990);
    expect(Math.abs(dots.height - (pdf.size[1] / 72) * 300)).toBeLessThan(1.5);
    expect(dots.drawn).toBeGreaterThan(0.02 * dots.width * dots.height);
    expect(dots.drawn).toBeLessThan(0.6 * dots.width * dots.height);
    const resolution = png.bytes.indexOf('pHYs');
    expect(png.bytes.readUInt32BE(resolution + 4)).toBe(11811);

    const csv = (await take('CSV')).bytes
      .toString('utf8')
      .split('\r\n')
      .map((line) => line.split(','));
    const column = (name: string) => csv.slice(1).map((row) => Number(row[csv[0]!.indexOf(name)]));
    expect(column('step')).toEqual(sft.map(({ step }) => step));
    expect(column('OOD correct')).toEqual(sft.map(({ evaluation }) => evaluation.ood.correct));
    expect(column('ID n')).toEqual(sft.map(({ evaluation }) => evaluation.inDist.n));

    const json = JSON.parse((await take('JSON')).bytes.toString('utf8')) as {
      data: { rows: (string | number | null)[][] };
      provenance: {
        settingsHash: string;
        seeds: number[];
        computedWith: object;
        checkpoints: { contentHash: string }[];
      };
    };
    expect(json.data.rows.map((row) => row.map((value) => String(value ?? '')))).toEqual(csv.slice(1));
    expect(json.provenance).toMatchObject({ settingsHash: result.study.settingsHash, seeds: [0] });
    expect(json.provenance.computedWith).toMatchObject({ backend: 'tensorflow', tfjs: '4.22.0' });
    expect(json.provenance.checkpoints.length).toBeGreaterThan(3);
    for (const { contentHash } of json.provenance.checkpoints) expect(contentHash).toMatch(/^[0-9a-f]{64}$/);

    await accuracy.getByRole('button', { name: 'Export' }).click();
    await menu.getByRole('button', { name: 'Copy image' }).click();
    await page.getByText('Copied the figure as an image.').waitFor();
    const copied = await page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const image = await createImageBitmap(await item!.getType('image/png'));
      return [image.width, image.height];
    });
    expect(copied).toEqual([dots.width, dots.height]);
    await accuracy.getByRole('button', { name: 'Export' }).click();
    await menu.getByRole('button', { name: 'Copy SVG' }).click();
    await page.getByText('Copied the figure as SVG.').waitFor();
    expect((await svgOf(page, await page.evaluate(() => navigator.clipboard.readText()))).texts).toEqual(drawing.texts);

    await accuracy.getByRole('button', { name: 'Export' }).click();
    await menu.getByRole('button', { name: 'Add to figures' }).click();
    await menu.getByRole('link', { name: 'Show in figures' }).click();
    await page.getByRole('img', { name: 'The panels as they will be exported' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  /** Nothing chosen yet, whatever an earlier test has. */
  const forgetChoices = () => lab.engine.call('app.setUiState', { figurePanels: {}, figureStyle: {} });

  test('panels: chosen, ordered, one plot of a figure, at 6.9 inches in greys, kept over a reload', async () => {
    await forgetChoices();
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const { id } = await lab.engine.call('studies.openSample', {});
    await page.goto(`${lab.engine.origin}/figures?study=${id}`);
    const card = (title: string) => page.locator('li.item', { has: page.getByRole('heading', { name: title }) });
    for (const title of ['Accuracy of SFT', 'Loss of SFT', 'RL by the checkpoint'])
      await card(title).getByRole('button', { name: 'Add as panel' }).click();
    const panels = page.getByRole('region', { name: 'Panels' });
    await panels.getByLabel('Width').selectOption('6.9');
    await panels.getByLabel('Palette').selectOption('grey');
    await panels.getByRole('combobox', { name: /^Columns/ }).selectOption('2');
    await panels.getByLabel('Plot of RL by the checkpoint it started from').selectOption({ label: 'OOD accuracy before and after RL' }); // prettier-ignore
    await panels.getByRole('button', { name: 'Move RL by the checkpoint it started from up' }).click();
    await panels.getByLabel('Height, in').fill('10');
    await panels.getByLabel('Height, in').press('Tab');
    await page.waitForTimeout(700); // Choices are written once they have settled.
    await page.reload();
    await panels.getByText('6.9 x 10.0 in').waitFor();
    const svg = await svgOf(page, (await downloaded(page, panels.getByRole('button', { name: 'SVG', exact: true }))).bytes.toString('utf8')); // prettier-ignore
    expect(svg).toMatchObject({ error: '', width: '6.9in' });
    expect(svg.texts.filter((text) => /^\([a-z]\)$/.test(text))).toEqual(['(a)', '(b)', '(c)']);
    expect(svg.texts).toContain('OOD accuracy before and after RL');
    expect(svg.texts).not.toContain('ID accuracy before and after RL');
    const pdf = await readPdf((await downloaded(page, panels.getByRole('button', { name: 'PDF', exact: true }))).bytes);
    expect([pdf.size[0] / 72, pdf.size[1] / 72]).toEqual([expect.closeTo(6.9, 2), expect.closeTo(10, 1)]);
    expect(pdf.texts).toEqual(expect.arrayContaining(['(a)', '(b)', '(c)', 'Number (the rule)']));
    const png = await pixelsOf(page, (await downloaded(page, panels.getByRole('button', { name: 'PNG, 300 dpi' }))).bytes); // prettier-ignore
    expect(png.width).toBe(2070);
    expect(png.drawn).toBeGreaterThan(20_000);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [size, viewport] of [
        ['wide', { ...wide, height: 2400 }],
        ['narrow', { ...narrow, height: 3600 }],
      ] as const) {
        await page.setViewportSize(viewport);
        await page.waitForTimeout(800);
        await picture(`figures-${colorScheme}-${size}`);
      }
    }
    expect(faults).toEqual([]);
    await context.close();
  });

  test('all figures with a manifest, and the report that opens without the lab', async () => {
    await forgetChoices();
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const { id } = await lab.engine.call('studies.openSample', {});
    await page.goto(`${lab.engine.origin}/figures?study=${id}`);
    await page.locator('li.item').nth(15).waitFor();
    const titles = await page.locator('li.item h3').allInnerTexts();
    expect(titles.length).toBeGreaterThanOrEqual(16);
    await page.getByRole('button', { name: 'Export all…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Palette').selectOption('okabeIto');
    await dialog.getByLabel('Height, in').fill('');
    await dialog.getByLabel('Width').selectOption('3.3');
    await picture('figures-export-all-light');
    const zip = await downloaded(page, dialog.getByRole('button', { name: 'Export', exact: true }));
    const files = unzipSync(zip.bytes);
    const inner = (name: string): Uint8Array => files[`sample-study-figures/${name}`]!;
    const manifest = JSON.parse(Buffer.from(inner('manifest.json')).toString('utf8')) as {
      figures: { title: string; paperFigures: string | null; files: Record<string, string> }[];
      provenance: { settingsHash: string }[];
    };
    const { study, words } = await lab.engine.call('studies.result', { id });
    expect(manifest.provenance[0]!.settingsHash).toBe(study.settingsHash);
    // The sample of this version has not logged the layers; everything else has something to draw.
    expect(manifest.figures.map(({ title }) => title)).toEqual(titles);
    const listed = manifest.figures.flatMap((one) => Object.entries(one.files));
    expect(listed).toHaveLength(5 * titles.length);
    for (const [name, hash] of listed) expect(sha256(inner(name)), name).toBe(hash);
    expect(Object.keys(files)).toHaveLength(listed.length + 1);
    // Every figure of the paper but the hidden states (15).
    const covered = new Set(manifest.figures.flatMap(({ paperFigures }) => (paperFigures ?? '').split(', ')));
    for (let number = 1; number <= 14; number += 1) expect(covered, `Figure ${number}`).toContain(String(number));
    for (const [name] of listed) {
      const bytes = inner(name);
      if (name.endsWith('.svg')) expect((await svgOf(page, Buffer.from(bytes).toString('utf8'))).error, name).toBe('');
      if (name.endsWith('.png')) {
        const { width, drawn } = await pixelsOf(page, Buffer.from(bytes));
        expect(width, name).toBe(990);
        expect(drawn, name).toBeGreaterThan(3000);
      }
      if (name.endsWith('.pdf')) {
        const { texts, images, fonts } = await readPdf(bytes);
        expect(texts.length, name).toBeGreaterThan(10);
        expect(images, name).toBe(0);
        expect(
          fonts.filter((font) => !/^(Helvetica|DejaVuSans)/.test(font)),
          name,
        ).toEqual([]);
      }
    }

    const report = await downloaded(page, page.getByRole('button', { name: 'Report (HTML)' }));
    expect(report.name).toBe('sample-study-report.html');
    const path = join(folder.folder, report.name);
    writeFileSync(path, report.bytes);
    const alone = await lab.browser.newContext({ offline: true, viewport: { width: 1100, height: 2600 } });
    const reader = await alone.newPage();
    const problems: string[] = [];
    reader.on('request', (request) => request.url().startsWith('file:') || problems.push(request.url()));
    reader.on('console', (message) => problems.push(message.text()));
    await reader.goto(pathToFileURL(path).href);
    expect(await reader.locator('h1').innerText()).toBe('Sample study');
    expect(await reader.locator('figure > svg').count()).toBe(titles.length);
    await reader.getByText(words[0]!.trim()).waitFor();
    const marks = await reader
      .locator('figure > svg')
      .evaluateAll((svgs) =>
        svgs.map((svg) => [...svg.querySelectorAll('path')].filter((path) => path.getBBox().width > 0).length),
      );
    expect(Math.min(...marks)).toBeGreaterThan(5);
    await reader.screenshot({ path: join(folder.folder, 'report.png') });
    expect(problems).toEqual([]);
    await alone.close();

    // The command line writes the same report; only a page measures its text with real fonts.
    const fromCommand = join(folder.folder, 'command.html');
    const args = ['report', 'Sample study', '--out', fromCommand, '--data', lab.engine.dataFolder];
    const ended = spawnSync(process.execPath, [join(repositoryFolder, 'main', 'cli.ts'), ...args]);
    expect([ended.status, ended.stderr.toString()]).toEqual([0, '']);
    const withoutDrawings = (html: string): string =>
      html.replace(/<svg .*?<\/svg>/gs, '<svg/>').replace(/written [0-9TZ:.-]+/, '');
    const [byCommand, byPage] = [readFileSync(fromCommand, 'utf8'), Buffer.from(report.bytes).toString('utf8')];
    expect(withoutDrawings(byCommand)).toBe(withoutDrawings(byPage));
    expect(faults).toEqual([]);
    await context.close();
  });
});
