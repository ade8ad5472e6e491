/** Ablations of the sample study: one click for the paper's four, live, a point by keyboard, its export, a reload. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { drawnFigures, narrow, openPage, wide } from './browser.ts';
import { temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { until } from './waiting.ts';

/** Few, so that a hundred models are evaluated in seconds. Their numbers say nothing. */
const episodes = '8';
const sweepTimeoutMs = 240_000;

describeWith([chromium], 'Ablations in Chromium', () => {
  const lab = startLab();
  const exports = temporaryFolder('exports');
  afterAll(() => exports.remove());

  const ended = (id: string) =>
    until(
      'the sweep to end',
      async () => {
        const sweep = await lab.engine.call('sweeps.get', { id });
        if (['failed', 'interrupted'].includes(sweep.state)) throw new Error(JSON.stringify(sweep.state));
        return sweep.state === 'succeeded' && sweep;
      },
      sweepTimeoutMs,
    );
  const idOf = (page: Page): string => new URL(page.url()).pathname.split('/')[2]!;

  test(
    "the paper's four, from one click to an exported point",
    async () => {
      const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
      await page.goto(`${lab.engine.origin}/ablations`);
      await page.getByRole('button', { name: 'Open the sample study' }).click();
      await page.getByRole('button', { name: 'Run the four ablations' }).waitFor();
      await page
        .getByText(/\d+ points/)
        .first()
        .waitFor();
      await picture('ablations-light');
      await page.getByRole('link', { name: 'Change options' }).click();
      await page.getByRole('heading', { name: 'New ablation' }).waitFor();
      await page.getByLabel('Episodes a split').fill(episodes);
      await page
        .getByText(/\d+ points/)
        .first()
        .waitFor();
      await page.waitForTimeout(600); // The plan of what was typed.
      await picture('ablations-new-light');
      await page.reload();
      await page.getByRole('heading', { name: 'New ablation' }).waitFor();
      expect(await page.getByLabel('Episodes a split').inputValue()).toBe(episodes);
      await page.getByRole('button', { name: 'Run', exact: true }).and(page.locator(':enabled')).waitFor();
      await page.getByLabel('Episodes a split').press('Control+Enter');
      await page.waitForURL((url) => /^\/ablations\/(?!new)/.test(url.pathname));
      await page.locator('main header .badge', { hasText: 'running' }).waitFor();
      await picture('ablation-running-light');
      const id = idOf(page);
      const sweep = await ended(id);
      expect(sweep.pairs.map(({ stage }) => stage)).toEqual(['sft', 'rl']);
      await page.locator('main header .badge', { hasText: 'done' }).waitFor();

      const figures = await drawnFigures(page);
      expect(figures.map(({ title }) => title.match(/Figure \d/)?.[0])).toEqual([
        'Figure 4',
        'Figure 5',
        'Figure 6',
        'Figure 7',
      ]);
      expect(figures.filter(({ marks }) => marks < 40)).toEqual([]);

      // By keyboard: the first mark of the second figure.
      const figure = page.locator('main section.figure').nth(1);
      await figure.focus();
      await page.keyboard.press('ArrowRight');
      await figure.getByText(/Enter opens it/).waitFor();
      await page.keyboard.press('Enter');
      const drawer = page.getByRole('complementary');
      await drawer.getByRole('heading', { name: /Singular vectors, layer 0, all ranks/ }).waitFor();
      await drawer
        .getByText(/episodes gained/)
        .first()
        .waitFor();
      await drawer.getByRole('cell', { name: 'model.layers.0.self_attn.q_proj.weight' }).waitFor();
      await picture('ablation-point-light');

      const folder = join(exports.folder, 'vectors');
      await drawer.getByLabel("Folder on the engine's machine").fill(folder);
      await drawer.getByRole('button', { name: 'Export', exact: true }).click();
      await drawer.getByRole('button', { name: 'Import it' }).waitFor({ timeout: 60_000 });
      expect(existsSync(join(folder, 'config.json'))).toBe(true);
      await drawer
        .getByText(/Rounding takes back|files,/)
        .first()
        .waitFor();
      await picture('ablation-exported-light');
      await drawer.getByRole('button', { name: 'Import it' }).click();
      await page
        .getByRole('dialog')
        .getByText(/parameters .* tensors/)
        .waitFor();
      await page.keyboard.press('Escape');

      await page.reload();
      await page.getByRole('heading', { name: /Singular vectors, layer 0, all ranks/ }).waitFor();
      await page.getByRole('button', { name: 'Import it' }).waitFor();
      await page.getByRole('button', { name: 'Close the point' }).click();
      await drawer.waitFor({ state: 'hidden' });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        for (const [size, viewport] of [
          ['wide', { ...wide, height: 3600 }],
          ['narrow', { ...narrow, height: 6200 }],
        ] as const) {
          await page.setViewportSize(viewport);
          await page.waitForTimeout(500);
          await picture(`ablation-${colorScheme}-${size}`);
        }
      }
      // The gallery of the study has them too.
      await page.setViewportSize(wide);
      const { id: studyId } = await lab.engine.call('studies.openSample', {});
      await page.goto(`${lab.engine.origin}/figures?study=${studyId}`);
      for (const number of [4, 5, 6, 7])
        await page.getByRole('heading', { name: `(Figure ${number} of the paper)` }).waitFor();
      expect(faults).toEqual([]);
      await context.close();
    },
    sweepTimeoutMs + 60_000,
  );

  test(
    'composed by keyboard: a heat map, and a line through three checkpoints',
    async () => {
      const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
      const { id: studyId } = await lab.engine.call('studies.openSample', {});
      const { peak, end, base } = await lab.engine.call('sweeps.studyCheckpoints', { studyId, seed: 0 });
      const nameOf = async (id: string | null) => (await lab.engine.call('checkpoints.get', { id: id! })).name;
      const [nameOfEnd, nameOfBase] = [await nameOf(end), await nameOf(base)];
      await page.goto(`${lab.engine.origin}/ablations/new?reference=${peak}&target=${end}`);
      await page.getByRole('heading', { name: 'New ablation' }).waitFor();
      const target = page.getByRole('combobox', { name: /^Target/ });
      await until('the target of the address', async () => (await target.inputValue()) === nameOfEnd);
      await page.getByRole('checkbox', { name: 'Layers', exact: true }).uncheck();
      await page.getByRole('checkbox', { name: 'Ranks', exact: true }).uncheck();
      await page.getByRole('checkbox', { name: /heat map/ }).check();
      await page.getByRole('checkbox', { name: 'Whole model' }).check();
      await page.getByLabel('Numbers of ranks').fill('8, 32, 64');
      await page.getByLabel('Scrambled, models a point').fill('0');
      await page.getByLabel('Episodes a split').fill(episodes);
      await page.getByRole('button', { name: 'Run', exact: true }).and(page.locator(':enabled')).waitFor();
      await page.waitForURL((url) => (url.searchParams.get('draft') ?? '').includes('8, 32, 64'));
      const composed = page.url();
      await page.keyboard.press('Control+Enter');
      await page.waitForURL((url) => /^\/ablations\/(?!new)/.test(url.pathname));
      await ended(idOf(page));
      await page.locator('main header .badge', { hasText: 'done' }).waitFor();
      expect((await drawnFigures(page)).map(({ marks }) => marks > 5)).toEqual([true, true, true]);
      await page.getByLabel('Quantity').first().selectOption('oodGain');
      await page.getByLabel('Points shown').selectOption('all');
      await page.waitForURL((url) => url.searchParams.get('quantity') === 'oodGain' && url.searchParams.has('show'));
      // Links show the same to somebody who has chosen something else.
      await page.waitForTimeout(700);
      await lab.engine.call('app.setUiState', { ablationDraft: {}, pageQueries: {}, gridQuantity: 'ood' });
      const other = await openPage(lab.browser, lab.engine.address);
      await other.page.goto(page.url());
      await other.page.getByLabel('Points shown').waitFor();
      expect(await other.page.getByLabel('Quantity').first().inputValue()).toBe('oodGain');
      expect(await other.page.getByLabel('Points shown').inputValue()).toBe('all');
      await other.page.goto(composed);
      expect(await other.page.getByLabel('Numbers of ranks').inputValue()).toBe('8, 32, 64');
      expect(await other.page.getByRole('checkbox', { name: /heat map/ }).isChecked()).toBe(true);
      expect(other.faults).toEqual([]);
      await other.context.close();
      await page.setViewportSize({ ...wide, height: 2600 });
      await page.waitForTimeout(500);
      await picture('ablation-grid-light');
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.waitForTimeout(400);
      await picture('ablation-grid-dark');
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize(wide);

      // The picker: typed, moved, taken without a mouse.
      await page.getByRole('button', { name: 'Change options' }).click();
      await page.getByRole('radio', { name: 'Interpolate the weights' }).check();
      const third = page.getByRole('combobox', { name: 'And on to' });
      await third.focus();
      await page.keyboard.type(nameOfBase);
      await page.getByRole('option', { name: nameOfBase }).first().waitFor();
      await picture('ablations-picker-light');
      await page.keyboard.press('Enter');
      expect(await third.inputValue()).toBe(nameOfBase);
      await page.getByLabel('Positions on each line').fill('0.25 0.5 0.75');
      await page.getByRole('button', { name: 'Run', exact: true }).and(page.locator(':enabled')).waitFor();
      await page.keyboard.press('Control+Enter');
      await page.waitForURL((url) => /^\/ablations\/(?!new)/.test(url.pathname));
      await ended(idOf(page));
      await page.locator('main section.figure [role=img] svg path').first().waitFor({ state: 'attached' });
      await picture('ablation-line-light');
      expect(faults).toEqual([]);
      await context.close();
    },
    sweepTimeoutMs,
  );
});
