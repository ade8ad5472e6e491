/** The Spectrum page on the sample study: composed, run, read by keyboard, pinned, along a trajectory, after a reload. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import type { SpectralComparison } from '../../main/contract/spectral.ts';
import { narrow, openPage, wide } from './browser.ts';
import { copyOfFixture, temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { readPdf } from './pdfText.ts';
import { until } from './waiting.ts';

/** A few small matrices; a loaded two-core machine starts a worker in seconds. */
const runMs = 90_000;

describeWith([chromium], 'The Spectrum page in Chromium', () => {
  const models = temporaryFolder('models');
  const lab = startLab();
  afterAll(() => models.remove());
  const figure = (page: Page, title: string | RegExp) =>
    page.locator('main section.figure').filter({ has: page.getByRole('heading', { name: title }) });
  const badge = (page: Page, text: string) => page.locator('main header .badge', { hasText: text });
  const inBothThemes = async (page: Page, picture: (name: string) => Promise<void>, name: string): Promise<void> => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [size, viewport] of [
        ['wide', wide],
        ['narrow', narrow],
      ] as const) {
        await page.setViewportSize(viewport);
        await page.waitForTimeout(400);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `horizontal scrolling, ${size}`).toBeLessThanOrEqual(0);
        await picture(`${name}-${colorScheme}-${size}`);
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(wide);
  };
  async function whole(page: Page, picture: (name: string) => Promise<void>, name: string): Promise<void> {
    await page.setViewportSize({ width: 1440, height: 3000 });
    await page.waitForTimeout(700);
    await picture(name);
    await page.setViewportSize(wide);
  }
  async function finished(): Promise<SpectralComparison> {
    const [newest] = await lab.engine.call('spectra.list', {});
    return newest!;
  }

  test('says what it needs before there are checkpoints', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+4');
    await page.getByText('No checkpoints yet').waitFor();
    await picture('spectrum-empty-light');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('compares the peak with SFT_End by one click, opens cells by keyboard, keeps pins', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.waitForURL((url) => url.pathname.startsWith('/studies/'));
    await page.getByRole('link', { name: 'Spectrum' }).click();
    // The suggested pair, and what it takes.
    await page.getByText(/matrices.*of memory/).waitFor();
    await inBothThemes(page, picture, 'spectrum-compose');
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await page.waitForURL((url) => /^\/spectrum\/./.test(url.pathname));
    await badge(page, 'done').waitFor({ timeout: runMs });
    const comparison = await finished();
    expect(comparison).toMatchObject({ state: 'succeeded', done: comparison.total });
    expect(comparison.targets).toHaveLength(1);

    const heatmap = figure(page, 'Where the checkpoints differ');
    await heatmap.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
    await page.getByText(`All numbers of ${comparison.total} matrices`).waitFor();
    // The arrows move over the cells, Enter opens one.
    await heatmap.focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
    await heatmap.getByText(/Layer 1, k.*Enter opens it/).waitFor();
    await page.keyboard.press('Enter');
    const curves = figure(page, 'Layer 1, k');
    await curves.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
    expect(await curves.locator('[role=img] svg path').count()).toBeGreaterThan(8);
    await curves.getByRole('button', { name: 'Pin', exact: true }).click();
    await heatmap.focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await figure(page, 'Layer 0, k').getByRole('button', { name: 'Pin', exact: true }).click();
    const pinned = figure(page, 'Pinned matrices');
    await pinned.scrollIntoViewIfNeeded();
    await pinned.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
    // The sign of pinned cells is none of Helvetica's: such lines are set in an embedded font, and are text all the same.
    await heatmap.getByRole('button', { name: 'Export' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('button', { name: 'PDF', exact: true }).click(),
    ]);
    const pdf = await readPdf(readFileSync(await download.path()));
    expect(pdf.texts.filter((text) => /^◆ \d/.test(text))).toHaveLength(2);
    expect(pdf.fonts).toEqual(expect.arrayContaining(['Helvetica', 'DejaVuSans']));
    for (const quantity of ['Mean left angle / null', 'Share of the change in the values / null']) {
      await page.getByRole('combobox', { name: 'Quantity', exact: true }).selectOption({ label: quantity });
      await heatmap.getByText('The middle colour is 1').waitFor();
    }
    await inBothThemes(page, picture, 'spectrum-result');
    await whole(page, picture, 'spectrum-result-whole-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await whole(page, picture, 'spectrum-result-whole-dark');
    await page.emulateMedia({ colorScheme: 'light' });

    await page.waitForTimeout(700); // Choices are written once they have settled.
    await page.reload();
    await figure(page, 'Layer 0, k').waitFor();
    await figure(page, 'Pinned matrices').waitFor();
    expect(await page.getByRole('combobox', { name: 'Quantity', exact: true }).inputValue()).toBe('valueEnergy');
    // A link shows the same to somebody who has chosen something else.
    const link = new URL(page.url());
    expect(link.searchParams.get('pins')!.split(',')).toHaveLength(2);
    await lab.engine.call('app.setUiState', { pinnedCells: [], pageQueries: {} });
    const other = await openPage(lab.browser, lab.engine.address);
    await other.page.goto(link.href);
    await figure(other.page, 'Layer 0, k').waitFor();
    await other.page.locator('button[title^="Unpin "]').nth(1).waitFor();
    expect(await other.page.getByRole('combobox', { name: 'Quantity', exact: true }).inputValue()).toBe('valueEnergy');
    await figure(other.page, 'Pinned matrices').getByRole('button', { name: 'Unpin all' }).click();
    await other.page.waitForURL((url) => !url.searchParams.has('pins') && url.searchParams.has('cell'));
    expect(other.faults).toEqual([]);
    await other.context.close();
    // A click opens a cell too.
    await figure(page, 'Where the checkpoints differ')
      .locator('[role=img] svg text', { hasText: /^\d/ })
      .first()
      .click();
    // Removed, and back.
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.waitForURL((url) => url.pathname === '/spectrum');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Comparisons' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('places the handles by keyboard and mouse, and compares a whole trajectory', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Spectrum' }).click();
    const target = page.getByRole('slider', { name: 'Target' });
    await target.focus();
    await page.keyboard.press('End');
    expect(await target.getAttribute('aria-valuetext')).toContain('step 500');
    const reference = page.getByRole('slider', { name: 'Reference' });
    const [from, to] = [await reference.boundingBox(), await target.boundingBox()];
    await page.mouse.move(from!.x + from!.width / 2, from!.y + 15);
    await page.mouse.down();
    await page.mouse.move((from!.x + to!.x) / 2 + 14, from!.y + 15, { steps: 5 });
    await page.mouse.up();
    expect(await reference.getAttribute('aria-valuetext')).toContain('step 200');
    // The choice is in the address, and there after a reload.
    await page.reload();
    expect(await reference.getAttribute('aria-valuetext')).toContain('step 200');
    await page.getByRole('button', { name: 'base → SFT_End' }).click();
    await page.getByLabel('Whole trajectory as targets').check();
    await page.getByText(/^3 checkpoints, steps 20 to 500/).waitFor();
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await badge(page, 'done').waitFor({ timeout: runMs });
    const along = figure(page, 'Along the trajectory');
    await along.scrollIntoViewIfNeeded();
    await along.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
    await page.getByLabel('Quantities over the steps').selectOption('all');
    await along.locator('[role=img] svg text', { hasText: 'Change of the stable rank (%)' }).waitFor();
    const slider = page.getByRole('slider', { name: /Target shown/ });
    await slider.focus();
    await page.keyboard.press('Home');
    await figure(page, 'Layer 0, q')
      .getByText(/→ .*step 20\./)
      .waitFor();
    await whole(page, picture, 'spectrum-trajectory-light');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a study leads here with its pair', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const [study] = await lab.engine.call('studies.list', {});
    await page.goto(`${lab.engine.origin}/studies/${study!.id}`);
    const heatmap = figure(page, 'Where two checkpoints differ');
    await until('the heat map', async () => {
      // Figures above it grow as they come into view.
      await heatmap.scrollIntoViewIfNeeded();
      return (await heatmap.locator('[role=img] svg path').count()) > 0;
    });
    await picture('study-heatmap-light');
    await heatmap.getByRole('button', { name: 'Open in Spectrum' }).click();
    await page.waitForURL((url) => url.pathname === '/spectrum' && url.searchParams.has('targets'));
    await page.getByText(/matrices.*of memory/).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('says inline what cannot be compared, and why a comparison failed', async () => {
    const paths = ['tiny-llama-base', 'tiny-qwen2', 'tiny-llama-end'].map((name) => copyOfFixture(name, models.folder));
    const verdicts = await lab.engine.call('checkpoints.import', { paths });
    const [base, qwen, end] = verdicts.map(({ checkpointId }) => checkpointId!);
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${lab.engine.origin}/spectrum?reference=${base}&targets=${qwen}`);
    const plan = page.locator('main form footer');
    await plan.getByText(/"tiny-llama-base" and \[.*\] in "tiny-qwen2"/).waitFor();
    expect(await page.getByRole('button', { name: 'Compare', exact: true }).isDisabled()).toBe(true);
    await picture('spectrum-mismatch-light');
    await page.goto(`${lab.engine.origin}/spectrum?reference=${base}&targets=${end}`);
    await page.getByText(/matrices.*of memory/).waitFor();
    const weights = join(models.folder, 'tiny-llama-end', 'model.safetensors');
    // Not a number in every byte of the second half: the comparison gets as far as there.
    const stored = readFileSync(weights);
    writeFileSync(weights, stored.fill(0xff, Math.floor(stored.length / 2)));
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await badge(page, 'failed').waitFor({ timeout: runMs });
    await page
      .getByRole('alert')
      .getByText(/holds NaN/)
      .waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await picture('spectrum-failed-light');
    expect(faults).toEqual([]);
    await context.close();
  });
});
