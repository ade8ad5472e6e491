/** A real study, cut down to seconds, live in the page: started, watched, cancelled, resumed, read. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { drawnFigures, narrow, openPage } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { settingsOfLongStudy, settingsOfTinyStudy } from './studySettings.ts';

describeWith([chromium], 'A study in Chromium', () => {
  const lab = startLab();
  const state = (page: Page, text: string) => page.locator('main header .badge', { hasText: text });
  test('runs live to its end, and draws every figure', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const study = await lab.engine.call('studies.create', { settings: settingsOfTinyStudy, new: true });
    await page.goto(`${lab.engine.origin}/studies/${study.id}`);
    await page.getByRole('heading', { name: 'Tiny study' }).waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await state(page, 'running').waitFor();
    // Live: the curves of SFT are there while RL still runs, without a reload.
    const firstFigure = page.locator('main section.figure').first();
    await firstFigure.locator('[role=img] svg path').first().waitFor({ timeout: 120_000, state: 'attached' });
    expect((await lab.engine.call('studies.get', { id: study.id })).state).toBe('running');
    await picture('study-tiny-running-light');
    await state(page, 'done').waitFor({ timeout: 150_000 });
    const done = await lab.engine.call('studies.get', { id: study.id });
    expect(done.stages.map(({ title, state: stageState }) => `${title}: ${stageState}`)).toEqual(
      done.stages.map(({ title }) => `${title}: succeeded`),
    );
    const figures = await drawnFigures(page);
    expect(figures.length).toBeGreaterThanOrEqual(6);
    expect(figures.filter(({ marks }) => marks < 5)).toEqual([]);
    // Its data arrive after the page has been drawn.
    expect(figures.map(({ title }) => title)).toContain('Layers over the steps of SFT');
    const { words } = await lab.engine.call('studies.result', { id: study.id });
    expect(words.length).toBeGreaterThan(3);
    await page.getByText(words[0]!).first().waitFor();
    await picture('study-tiny-done-light');
    await page.reload();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await page.getByRole('heading', { name: 'Tiny study' }).waitFor();
    expect((await drawnFigures(page)).map(({ title }) => title)).toEqual(figures.map(({ title }) => title));
    await picture('study-tiny-done-dark-narrow');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the comparison of remedies: composed in the form, its figures and words', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.goto(`${lab.engine.origin}/studies/new`);
    await page.getByRole('radio', { name: /^Comparison of remedies/ }).check();
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Comparison of remedies');
    await page.getByText('8 jobs for 1 seed').waitFor();
    expect(await page.getByLabel(/^RL starts/).count()).toBe(0);
    await picture('new-comparison-light');
    const settings = { ...settingsOfTinyStudy, preset: 'comparison', name: 'Tiny comparison' } as const;
    const { id } = await lab.engine.call('studies.create', { settings, new: true });
    await lab.engine.call('studies.start', { id });
    await page.goto(`${lab.engine.origin}/studies/${id}`);
    await state(page, 'done').waitFor({ timeout: 150_000 });
    const figures = await drawnFigures(page);
    const titles = figures.map(({ title }) => title);
    expect(titles).toContain('SFT with and without the penalty on rotation');
    expect(titles).toContain('The remedies beside SFT_End');
    expect(titles.filter((title) => /Reversion|Interpolation|two checkpoints differ/.test(title))).toEqual([]);
    expect(figures.filter(({ marks }) => marks < 5)).toEqual([]);
    await page.getByText('The penalty on rotation changes OOD accuracy').first().waitFor();
    await picture('comparison-light');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('cancel answers at once, resume goes on; the Jobs page shows both', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const study = await lab.engine.call('studies.create', { settings: settingsOfLongStudy, new: true });
    await lab.engine.call('studies.start', { id: study.id });
    await page.goto(`${lab.engine.origin}/studies/${study.id}`);
    await state(page, 'running').waitFor();
    await picture('study-running-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('study-running-dark');
    await page.goto(`${lab.engine.origin}/jobs`);
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
    await lab.engine.call('studies.cancel', { id: study.id });
    await page.locator('main section .badge', { hasText: 'cancelled' }).first().waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
