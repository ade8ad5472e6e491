/** Whatever is opened in Chromium: the palette, dropped settings, an exported study; and the page of a crash. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crashPageAddress } from '../../electron/crashPage.ts';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { pages } from '../../renderer/components/pages.ts';
import { narrow, openPage, wide } from './browser.ts';
import { temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

describeWith([chromium], 'Opening in Chromium', () => {
  const lab = startLab();

  test('the palette has every page and action, and does what is chosen', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    const options = page.getByRole('option');
    await options.first().waitFor();
    const labels = (await options.locator('.label').allInnerTexts()).map((label) => label.trim());
    for (const { label } of pages) expect(labels).toContain(label);
    for (const action of ['New study', 'New ablation', 'Run the miniature study', 'Theme: dark', 'Copy diagnostics'])
      expect(labels).toContain(action);
    await page.keyboard.type('theme dark');
    await page.keyboard.press('Enter');
    await page.locator('html[data-theme=dark]').waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('open the sample');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => /^\/studies\/./.test(url.pathname));
    await page.locator('main h1', { hasText: 'Sample study' }).waitFor();
    await page.keyboard.press('Control+1');
    await page.getByRole('heading', { name: 'Run the miniature study' }).waitFor();
    await page.keyboard.press('Control+k');
    const first = options.first();
    await first.getByText('recent').waitFor();
    expect(await first.innerText()).toContain('Sample study');
    await picture('palette-dark');
    await page.setViewportSize(narrow);
    await picture('palette-narrow-dark');
    // The selected one is kept in view.
    for (let press = 0; press < 25; press += 1) await page.keyboard.press('ArrowDown');
    const selected = page.locator('[role=option][aria-selected=true]');
    const [list, item] = [await page.locator('#palette-list').boundingBox(), await selected.boundingBox()];
    expect(item!.y).toBeGreaterThanOrEqual(list!.y - 1);
    expect(item!.y + item!.height).toBeLessThanOrEqual(list!.y + list!.height + 1);
    await page.keyboard.press('Escape');
    await lab.engine.call('app.setUiState', { theme: 'system' });
    expect(faults).toEqual([]);
    await context.close();
  });

  test('Ctrl+F goes into the filter, Ctrl+Enter starts what the page prepares', async () => {
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+4');
    await page.getByLabel('Filter checkpoints').waitFor();
    await page.keyboard.press('Control+f');
    await page.keyboard.type('nothing has this name');
    expect(await page.getByLabel('Filter checkpoints').inputValue()).toBe('nothing has this name');
    await page.getByLabel('Filter checkpoints').fill('');
    await page.goto(`${lab.engine.origin}/studies/new`);
    await page.getByRole('button', { name: 'Start' }).waitFor();
    await page.keyboard.press('Control+Enter');
    await page.waitForURL((url) => /^\/studies\/(?!new)/.test(url.pathname));
    await page.locator('main header .badge', { hasText: 'running' }).waitFor();
    const study = new URL(page.url()).pathname.split('/').at(-1)!;
    await lab.engine.call('studies.cancel', { id: study });
    expect(faults).toEqual([]);
    await context.close();
  });

  test('dropped settings say what they are, and fill the form of a new study', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const drop = async (name: string, text: string): Promise<void> => {
      const transfer = await page.evaluateHandle(
        ([fileName, content]) => {
          const data = new DataTransfer();
          data.items.add(new File([content!], fileName!));
          return data;
        },
        [name, text],
      );
      await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
      await page.getByText('Drop to look at 1 file or folder').waitFor();
      if (name === 'short.yaml') await picture('drop-preview-light');
      await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
    };
    await drop('wrong.yaml', 'sft: { learnRate: 1 }\n');
    await page.getByText('There is no setting sft.learnRate.').waitFor();
    await drop('short.yaml', 'name: From a file\nseeds: [7, 8]\nsft: { learningRate: 0.0001 }\n');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Settings of a study: "From a file" · 2 seeds').waitFor();
    await picture('open-settings-light');
    await dialog.getByRole('button', { name: 'New study' }).click();
    await page.getByRole('heading', { name: 'New study' }).waitFor();
    const values = await page
      .locator('main input')
      .evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
    for (const value of ['From a file', '7, 8', '0.0001']) expect(values).toContain(value);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('an exported study, by its folder or its file, opens as a copy', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const before = (await lab.engine.call('studies.list', {})).length;
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /^Go to/ }).fill('by its path');
    await page.getByRole('option').first().getByText('by its path').waitFor();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/Path of a checkpoint/).fill(join(repositoryFolder, 'resources/sample-study/study.json'));
    await dialog.getByRole('button', { name: 'Look' }).click();
    await dialog.getByText('Exported study "Sample study" · 1 seed · 5 checkpoints').waitFor();
    await picture('open-study-light');
    await dialog.getByRole('button', { name: 'Open a copy' }).click();
    await page.waitForURL((url) => /^\/studies\/./.test(url.pathname));
    await page.locator('main h1', { hasText: 'Sample study' }).waitFor();
    expect((await lab.engine.call('studies.list', {})).length).toBe(before + 1);
    const broken = join(repositoryFolder, 'package.json');
    expect(await lab.engine.call('files.look', { paths: [broken, '/nowhere'] })).toEqual([
      { kind: 'checkpoints', path: broken },
      { kind: 'checkpoints', path: '/nowhere' },
    ]);
    const { folder, remove } = temporaryFolder('study');
    writeFileSync(join(folder, 'study.json'), '{"format":"rotascope-study","version":2}');
    const [refused] = await lab.engine.call('files.look', { paths: [folder] });
    expect(refused).toMatchObject({ kind: 'refused', path: folder });
    await page.goto(lab.engine.origin);
    await page.getByLabel(/Path of a checkpoint/).fill(folder);
    await page.getByRole('button', { name: 'Look' }).click();
    await dialog.getByText('This file cannot be opened').waitFor();
    await picture('open-refused-light');
    remove();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the page of a crash: readable in both themes, by keyboard, without scripts', async () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index} of the engine ${'x'.repeat(index * 6)}`);
    const report = { fact: 'The engine ended with code 1.', nextStep: 'Jobs can be resumed after a restart.', lines };
    for (const [theme, viewport] of [
      ['light', wide],
      ['dark', narrow],
    ] as const) {
      const options = { colorScheme: theme, viewport };
      const { page, context, faults, picture } = await openPage(
        lab.browser,
        crashPageAddress(report, 'Copied.'),
        options,
      );
      await page.getByRole('heading', { name: report.fact }).waitFor();
      await page.getByRole('status').getByText('Copied.').waitFor();
      await picture(`crash-${theme}`);
      // No sideways scrolling, and the focus begins on the next step.
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      const focused = () => page.evaluate(() => document.activeElement?.textContent);
      expect(await focused()).toBe('Restart');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Copy diagnostics');
      expect(faults).toEqual([]);
      await context.close();
    }
  });
});
