/** A real study, cut down to seconds, live in the page: started, watched, cancelled, resumed, read. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, narrow, openPage } from './browser.ts';
import { built } from './builds.ts';
import { startEngineUnderTest } from './engineUnderTest.ts';
import type { EngineUnderTest } from './engineUnderTest.ts';
import { chromium, describeWith } from './parts.ts';
import { settingsOfLongStudy, settingsOfTinyStudy } from './studySettings.ts';
import { until } from './waiting.ts';

describeWith([chromium], 'A study in Chromium', () => {
  let browser: Browser;
  let engine: EngineUnderTest;
  beforeAll(async () => {
    engine = await startEngineUnderTest(`${await built('production')}/renderer`);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.stop();
  });
  const state = (page: Page, text: string) => page.locator('main header .badge', { hasText: text });
  /** Charts on the page that hold marks, not only axes. */
  const drawnCharts = (page: Page) =>
    page.evaluate(
      () =>
        [...document.querySelectorAll('main [role=img] svg')].filter((svg) => svg.querySelectorAll('path').length > 5)
          .length,
    );

  test('runs live to its end, and draws every figure', async () => {
    const { page, context, faults, picture } = await openPage(browser, engine.address);
    const study = await engine.call('studies.create', { settings: settingsOfTinyStudy, new: true });
    await page.goto(`${engine.origin}/studies/${study.id}`);
    await page.getByRole('heading', { name: 'Tiny study' }).waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await state(page, 'running').waitFor();
    await picture('study-tiny-running-light');
    await state(page, 'done').waitFor({ timeout: 150_000 });
    const done = await engine.call('studies.get', { id: study.id });
    expect(done.stages.map(({ title, state: stageState }) => `${title}: ${stageState}`)).toEqual(
      done.stages.map(({ title }) => `${title}: succeeded`),
    );
    await until('the figures', async () => (await drawnCharts(page)) >= 6);
    const { words } = await engine.call('studies.result', { id: study.id });
    expect(words.length).toBeGreaterThan(3);
    await page.getByText(words[0]!).first().waitFor();
    await picture('study-tiny-done-light');
    await page.reload();
    await until('the figures after a reload', async () => (await drawnCharts(page)) >= 6);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await until('the figures in the narrow page', async () => (await drawnCharts(page)) >= 6);
    await picture('study-tiny-done-dark-narrow');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('cancel answers at once, resume goes on; the Jobs page shows both', async () => {
    const { page, context, faults, picture } = await openPage(browser, engine.address);
    const study = await engine.call('studies.create', { settings: settingsOfLongStudy, new: true });
    await engine.call('studies.start', { id: study.id });
    await page.goto(`${engine.origin}/studies/${study.id}`);
    await state(page, 'running').waitFor();
    // Live: the loss of pretraining arrives while it runs.
    await until('live charts', async () => (await drawnCharts(page)) >= 1, 40_000);
    await picture('study-running-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('study-running-dark');
    await page.goto(`${engine.origin}/jobs`);
    const row = page.getByRole('row').filter({ hasText: 'Pretrain the base' }).filter({ hasText: 'running' });
    await row.waitFor();
    await picture('jobs-running-dark');
    const startMs = Date.now();
    await row.getByRole('button', { name: 'Cancel' }).click();
    const cancelled = page.getByRole('row').filter({ hasText: 'Pretrain the base' }).filter({ hasText: 'cancelled' });
    await cancelled.waitFor();
    expect(Date.now() - startMs, 'ms until cancelled').toBeLessThan(5000);
    await page.reload();
    await cancelled.getByRole('button', { name: 'Resume' }).click();
    await row.waitFor();
    await row.getByRole('link').first().click();
    await page.getByRole('heading', { name: /Pretrain the base/ }).waitFor();
    await page.getByText('attempt 2').waitFor();
    await page.emulateMedia({ colorScheme: 'light' });
    await picture('jobs-running-light');
    await engine.call('studies.cancel', { id: study.id });
    await page.locator('main section .badge', { hasText: 'cancelled' }).first().waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
