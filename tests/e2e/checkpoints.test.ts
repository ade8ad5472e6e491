/** The Checkpoints pages on real files: a run grouped by steps, lineage, verify and re-link, the comparison of two. */
import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { narrow, openPage } from './browser.ts';
import { temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { until } from './waiting.ts';

describeWith([chromium], 'Checkpoints in Chromium', () => {
  const models = temporaryFolder('models');
  const lab = startLab();
  afterAll(() => models.remove());

  const place = (fixture: string, at: string): string => {
    const folder = join(models.folder, at);
    cpSync(join(repositoryFolder, 'tests', 'fixtures', fixture), folder, { recursive: true });
    return folder;
  };
  const hashed = (count: number) =>
    until('hashes', async () => {
      const rows = await lab.engine.call('checkpoints.list', {});
      return rows.filter(({ contentHash }) => contentHash !== null).length === count && rows;
    });

  test('a run: imported by its folder, grouped with steps in order, links to its spectrum', async () => {
    place('tiny-llama-base', 'sft-run/checkpoint-0');
    place('tiny-llama', 'sft-run/checkpoint-20');
    place('tiny-llama-end', 'sft-run/checkpoint-140');
    place('tiny-qwen2', 'tiny-qwen2');
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByLabel(/Path of a checkpoint/).fill(models.folder);
    await page.getByRole('button', { name: 'Look' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Use the files where they lie').waitFor();
    expect(await dialog.getByLabel('Use the files where they lie').isChecked()).toBe(true);
    await picture('import-choice-light');
    await dialog.getByRole('button', { name: 'Import 4 checkpoints' }).click();
    await dialog.getByRole('button', { name: 'Show' }).click();
    const list = page.getByRole('region', { name: 'List of checkpoints' });
    await list.getByRole('link', { name: 'sft-run/checkpoint-140' }).waitFor();
    const steps = await list.locator('tr.checkpoint td:nth-child(3)').allInnerTexts();
    expect(steps.filter(Boolean)).toEqual(['0', '20', '140']);
    const rows = await hashed(4);
    const idAt = (step: number): string => rows.find((row) => row.step === step)!.id;
    const spectrum = await list.getByRole('link', { name: 'Spectrum along this run' }).getAttribute('href');
    expect(spectrum).toBe(`/spectrum?reference=${idAt(0)}&targets=${idAt(20)},${idAt(140)}`);
    await list.getByText(rows[0]!.contentHash!.slice(0, 8)).waitFor();
    await picture('checkpoints-run-light');
    await list.getByLabel('Select sft-run/checkpoint-0').check();
    await list.getByLabel('Select sft-run/checkpoint-140').check();
    const bar = page.getByRole('region', { name: 'Selected checkpoints' });
    const ablation = await bar.getByRole('link', { name: 'New ablation' }).getAttribute('href');
    expect(ablation).toBe(`/ablations/new?reference=${idAt(0)}&target=${idAt(140)}`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('checkpoints-selected-dark');
    // A closed group stays closed after a reload.
    await list.getByRole('button', { name: /^sft-run/ }).click();
    await list.getByRole('link', { name: 'sft-run/checkpoint-140' }).waitFor({ state: 'hidden' });
    await page.waitForTimeout(700); // Choices are written once they have settled.
    await page.reload();
    const fold = list.getByRole('button', { name: /^sft-run/ });
    await fold.waitFor();
    expect(await fold.getAttribute('aria-expanded')).toBe('false');
    await fold.focus();
    await page.keyboard.press('Enter');
    await list.getByRole('link', { name: 'sft-run/checkpoint-140' }).waitFor();
    await page.setViewportSize(narrow);
    await picture('checkpoints-narrow-dark');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('one checkpoint: norms, hash, lineage edited in place, files verified, gone and linked again', async () => {
    const rows = await hashed(4);
    const end = rows.find(({ step }) => step === 140)!;
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.goto(`${lab.engine.origin}/checkpoints/${end.id}`);
    await page.getByRole('heading', { name: 'sft-run/checkpoint-140' }).waitFor();
    expect(await page.locator('dl').innerText()).toContain(end.contentHash!);
    const norm = page
      .getByRole('row', { name: /model\.norm\.weight/ })
      .locator('td')
      .nth(3);
    expect(Number(await norm.innerText())).toBeGreaterThan(0);
    await picture('checkpoint-detail-light');
    await page.getByLabel('Step', { exact: true }).fill('150');
    await page.keyboard.press('Enter');
    await until('the step', async () => (await lab.engine.call('checkpoints.get', { id: end.id })).step === 150);
    await page.getByRole('button', { name: 'Clear: The checkpoint to go back to' }).click();
    const reference = page.getByRole('combobox', { name: 'The checkpoint to go back to' });
    await reference.fill('checkpoint-20');
    await picture('checkpoint-picker-light');
    await page.keyboard.press('Enter');
    const middle = rows.find(({ step }) => step === 20)!;
    await until(
      'the reference',
      async () => (await lab.engine.call('checkpoints.get', { id: end.id })).referenceId === middle.id,
    );
    await page.getByRole('button', { name: 'Verify files' }).click();
    await page.getByText('Names, sizes, times and headers are as they were.').waitFor();
    renameSync(join(models.folder, 'sft-run', 'checkpoint-140'), join(models.folder, 'moved'));
    await page.reload();
    await page.getByText(/The files are gone/).waitFor();
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('checkpoint-gone-dark');
    await page.getByLabel(/New place of this checkpoint/).fill(join(models.folder, 'tiny-qwen2'));
    await page.getByRole('button', { name: 'Link', exact: true }).click();
    await page
      .getByText(/is in the list already, as "tiny-qwen2"/)
      .first()
      .waitFor();
    await page.getByLabel(/New place of this checkpoint/).fill(join(models.folder, 'moved'));
    await page.getByRole('button', { name: 'Link', exact: true }).click();
    await page.getByText(/The files are gone/).waitFor({ state: 'hidden' });
    expect((await lab.engine.call('checkpoints.get', { id: end.id })).folder).toBe(join(models.folder, 'moved'));
    await page.setViewportSize(narrow);
    await picture('checkpoint-detail-narrow-dark');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('two checkpoints: configuration, tensors only in one, the largest change on top', async () => {
    const rows = await lab.engine.call('checkpoints.list', {});
    const [base, end] = [rows.find(({ step }) => step === 0)!, rows.find(({ step }) => step === 150)!];
    const config = join(models.folder, 'moved', 'config.json');
    writeFileSync(config, JSON.stringify({ ...(JSON.parse(readFileSync(config, 'utf8')) as object), rope_theta: 7 }));
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.goto(`${lab.engine.origin}/checkpoints/${base.id}`);
    const other = page.getByRole('combobox', { name: 'Compare with' });
    await other.fill('checkpoint-140');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.search === `?a=${base.id}&b=${end.id}`);
    await page.getByRole('row', { name: /rope_theta/ }).waitFor();
    const table = page.getByRole('region', { name: 'Changes of tensors' });
    await table.waitFor();
    const changes = await table.locator('tbody tr td:nth-child(2)').allInnerTexts();
    expect(changes.length).toBeGreaterThan(20);
    const numbers = changes.map(Number);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(numbers[0]).toBeGreaterThan(0);
    await picture('compare-light');
    await page.getByRole('combobox', { name: 'Choose checkpoint B' }).fill('tiny-qwen2');
    await page.keyboard.press('Enter');
    await page.getByText(/Tensors only in tiny-qwen2 \(\d+\)/).waitFor();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await picture('compare-narrow-dark');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('copied on import: the page says so when the copy is there', async () => {
    place('tiny-qwen2', 'to-copy');
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    await page.goto(`${lab.engine.origin}/checkpoints`);
    await page.getByLabel(/Path of a checkpoint/).fill(join(models.folder, 'to-copy'));
    await page.getByRole('button', { name: 'Look' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/Copy them into the data folder/).check();
    await dialog.getByRole('button', { name: 'Import 1 checkpoint' }).click();
    await dialog.getByRole('button', { name: 'Show' }).click();
    await page.getByText('(copied into the data folder)').waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
