/** Studies as settings: cloned, saved and opened as YAML, compared; a finished one rerun from a stage. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { narrow, openPage } from './browser.ts';
import { temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { settingsOfTinyStudy } from './studySettings.ts';

describeWith([chromium], 'Studies as settings, in Chromium', () => {
  const lab = startLab();

  test('a clone has the settings of its origin; YAML goes out and in', async () => {
    const { id } = await lab.engine.call('studies.create', { settings: settingsOfTinyStudy });
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${lab.engine.origin}/studies/${id}`);
    await page.getByRole('link', { name: 'Clone' }).click();
    const name = page.getByLabel('Name', { exact: true });
    await expect.poll(() => name.inputValue()).toBe('Tiny study, copy');
    expect(await page.getByLabel('SFT steps', { exact: true }).inputValue()).toBe('12');
    await page.getByLabel('SFT steps', { exact: true }).fill('16');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save settings as YAML' }).click();
    const saved = await download;
    expect(saved.suggestedFilename()).toBe('tiny-study-copy.yaml');
    const text = readFileSync(await saved.path(), 'utf8');
    expect(text).toMatch(/^name: Tiny study, copy$/m);
    expect(text).toMatch(/^ {2}steps: 16$/m);
    const { folder, remove } = temporaryFolder('yaml');
    const file = join(folder, 'edited.yaml');
    writeFileSync(file, text.replace('name: Tiny study, copy', 'name: Edited elsewhere'));
    await page.goto(`${lab.engine.origin}/studies/new`);
    await page.getByText('Open settings file').setInputFiles(file);
    await expect.poll(() => name.inputValue()).toBe('Edited elsewhere');
    expect(await page.getByLabel('SFT steps', { exact: true }).inputValue()).toBe('16');
    writeFileSync(file, 'sft:\n  stepz: 3\n');
    await page.getByText('Open settings file').setInputFiles(file);
    await page.getByText('There is no setting sft.stepz.').waitFor();
    remove();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a finished study is rerun from a stage; two studies are compared', async () => {
    await lab.engine.call('studies.openSample', {});
    const { id } = await lab.engine.call('studies.create', { settings: settingsOfTinyStudy });
    await lab.engine.call('studies.start', { id });
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${lab.engine.origin}/studies/${id}`);
    const state = (text: string) => page.locator('main header .badge', { hasText: text });
    await state('done').waitFor({ timeout: 150_000 });
    await page.getByRole('button', { name: 'Rerun from Decompose and compare' }).click();
    await page.getByText('Test and put in words · seed 0').waitFor();
    await picture('study-rerun-light');
    await page.getByRole('button', { name: 'Rerun 3 stages' }).click();
    await state('running').waitFor();
    await state('done').waitFor({ timeout: 60_000 });
    const decompose = (await lab.engine.call('jobs.list', {})).filter(({ kind }) => kind === 'decompose');
    expect(decompose.filter(({ studyId }) => studyId === id)).toHaveLength(2);
    await page.getByRole('link', { name: 'Compare', exact: true }).click();
    await page.getByText('Two studies are needed').waitFor();
    await page.getByLabel('Study B').selectOption({ index: 2 });
    await page.getByRole('rowheader', { name: 'sft.steps' }).waitFor();
    await page.getByRole('cell', { name: 'SFT_End, OOD accuracy' }).waitFor();
    await page.locator('section.figure [role=img] svg path').first().waitFor({ state: 'attached' });
    await page.reload();
    await page.getByRole('cell', { name: 'SFT_End, OOD accuracy' }).waitFor();
    await picture('studies-compared-light');
    await page.screenshot({ path: 'test-results/studies-compared.png', fullPage: true });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await picture('studies-compared-dark-narrow');
    expect(faults).toEqual([]);
    await context.close();
  });
});
