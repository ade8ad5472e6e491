/** The shipped sample opens as a copy, in a second, with every figure. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { drawnFigures, narrow, openPage, wide } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

const sampleStudy = join(repositoryFolder, 'resources', 'sample-study', 'study.json');
/** One second is the promise; a loaded two-core machine gets more. */
const openBudgetMs = 4000;

describeWith([chromium], 'The sample study in Chromium', () => {
  const lab = startLab();

  test.skipIf(!existsSync(sampleStudy))('opens as a copy with its figures and checkpoints', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const startMs = Date.now();
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.waitForURL((url) => url.pathname.startsWith('/studies/'));
    await page.locator('main section.figure [role=img] svg path').first().waitFor({ state: 'attached' });
    expect(Date.now() - startMs, 'ms to open').toBeLessThan(openBudgetMs);
    const figures = await drawnFigures(page);
    expect(figures.length).toBeGreaterThanOrEqual(8);
    expect(figures.filter(({ marks }) => marks < 5)).toEqual([]);
    const [study] = await lab.engine.call('studies.list', {});
    expect(study).toMatchObject({ sample: true, state: 'succeeded' });
    expect((await lab.engine.call('checkpoints.list', {})).length).toBeGreaterThanOrEqual(5);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [size, viewport] of [
        ['wide', wide],
        ['narrow', narrow],
      ] as const) {
        await page.setViewportSize(viewport);
        await page.evaluate(() => window.scrollTo(0, 0));
        await page.waitForTimeout(300);
        await picture(`study-done-${colorScheme}-${size}`);
      }
    }
    await page.setViewportSize({ width: 1440, height: 5200 });
    await page.waitForTimeout(800);
    await picture('study-done-dark-whole');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.waitForTimeout(500);
    await picture('study-done-light-whole');
    expect(faults).toEqual([]);
    await context.close();
  });
});
