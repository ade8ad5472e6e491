/** A study that starts from a checkpoint: composed in the form, watched, and every answer of it read. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sftExamples, sftLine } from '../../main/ml/tasks/sftData.ts';
import { openTextTask } from '../../main/ml/tasks/textTasks.ts';
import { inEveryLook } from './axe.ts';
import { drawnFigures, narrow, openPage, wide } from './browser.ts';
import { copyOfFixture } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { until } from './waiting.ts';

/** A tiny random model: its answers are never right, which is all that is needed of them here. */
const fixture = 'tiny-qwen2';
const episodes = 8;
/** What the form is filled with: the names of the fields are the paths of the settings. */
const typed = {
  name: 'Tiny text study',
  seeds: '3',
  'sft.steps': '4',
  'sft.endStep': '4',
  'sft.learningRate': '1e-3',
  'sft.batchSize': '4',
  'sft.checkpoints': '0, 2, 4',
  'sft.warmupSteps': '1',
  'rl.starts': '0',
  'rl.text.iterations': '1',
  'rl.text.rolloutSize': '4',
  'rl.text.minibatchSize': '4',
  'rl.text.updateEpochs': '1',
  'rl.text.maxNewTokens': '6',
  'rl.text.evaluateEvery': '1',
  'task.evaluationEpisodes': String(episodes),
  'task.text.attempts': '2',
  'task.text.maxNewTokens': '8',
  'task.text.samples': '2',
};

describeWith([chromium], 'A study of a checkpoint in Chromium', () => {
  const lab = startLab();
  let folder = '';
  let baseId = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rotascope-text-'));
    const [verdict] = await lab.engine.call('checkpoints.import', { paths: [copyOfFixture(fixture, folder)] });
    baseId = verdict!.checkpointId!;
    const hash = async () => (await lab.engine.call('checkpoints.get', { id: baseId })).contentHash;
    await until('the hash of the checkpoint', hash, 60_000);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = (page: Page) => page.getByRole('button', { name: 'Start' });

  test('the form: preset, base, data, what is missing, what it takes; the address holds it', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.goto(`${lab.engine.origin}/studies/new`);
    await page.getByRole('radio', { name: /^Paper, Qwen/ }).check();
    await page.getByText('Choose the checkpoint to start from.').waitFor();
    expect(await start(page).isDisabled()).toBe(true);
    await page.getByRole('combobox', { name: 'Base checkpoint' }).fill('tiny');
    await page.keyboard.press('Enter');
    await page.getByText(/jobs for 1 seed.* of memory at most/s).waitFor();
    expect(await page.getByLabel('Pretraining').count()).toBe(0);
    await page.getByText('All parameters').click();
    expect(await page.locator('[name^="pretrain."], [name^="model."], [name="rl.iterations"]').count()).toBe(0);
    await page.locator('[name="rl.text.algorithm"]').selectOption('grpo');
    await page.locator('[name="rl.text.groupSize"]').waitFor();
    await page.locator('[name="sft.endStep"]').fill('790');
    await page.getByText('SFT_End (step 790) is not among the checkpoints.').waitFor();
    await picture('new-text-study-light');
    // The type of the saved weights, and what is lost in the base's.
    const saved = page.locator('[name="disk.dtype"]');
    expect(await saved.locator('option').allInnerTexts()).toEqual(['The type of the base', 'F32']);
    await page.getByText(/^BF16 rounds a change below about 1\/256 of its weight away/).waitFor();
    await saved.scrollIntoViewIfNeeded();
    await picture('new-text-study-disk-light');
    await page.locator('[name="sft.endStep"]').fill('800');

    // More rows at a time than fit: the form says so, and offers as many as do.
    const rows = page.locator('[name="rl.text.microBatchSize"]');
    await rows.fill('128');
    await page.getByText(/of memory are free: the stage that takes most would be refused/).waitFor();
    await page.getByRole('button', { name: /^Set the micro-batches to/ }).click();
    await page.getByText(/would be refused/).waitFor({ state: 'detached' });
    expect(Number(await rows.inputValue())).toBeLessThan(128);

    // What the study would learn from, as a file.
    await page.getByText('Export SFT data').click();
    await page.getByLabel('Examples', { exact: true }).last().fill('7');
    await page.getByLabel('Seed', { exact: true }).fill('4');
    await picture('sft-data-export-light');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as JSONL' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('sft-generalPoints-inDist-seed-4.jsonl');
    const task = openTextTask({ name: 'generalPoints' });
    const lines = sftExamples(task, 'inDist', 7, 4).map((one) => sftLine(one, { task: task.name, split: 'inDist' }));
    expect(readFileSync(await download.path(), 'utf8')).toBe(lines.join(''));

    const data = join(folder, 'examples.jsonl');
    const example = '{"messages":[{"role":"user","content":"2 + 2"},{"role":"assistant","content":"4"}]}';
    writeFileSync(data, `${example}\nno JSON\n`);
    await page.getByRole('radio', { name: 'A JSONL file' }).check();
    await page.getByText('Give the path of the SFT data.').waitFor();
    await page.getByLabel("Path of the file on the engine's machine").fill(data);
    await page.getByText('1 example, 1 bad line.').waitFor();
    await page.getByText('Line 2:').waitFor();
    await page.waitForURL((url) => url.searchParams.get('sft.text.dataFile') === data);
    await page.reload();
    await page.getByText('1 example, 1 bad line.').waitFor();
    expect(await page.getByRole('radio', { name: /^Paper, Qwen/ }).isChecked()).toBe(true);
    expect(await page.getByRole('combobox', { name: 'Base checkpoint' }).inputValue()).toBe(fixture);
    expect(await page.locator('[name="rl.text.algorithm"]').inputValue()).toBe('grpo');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await picture('new-text-study-dark-narrow');
    expect(faults).toEqual([]);
    await context.close();
  });

  test(
    'composed, started, watched to its end; its answers are read from the curve on',
    { timeout: 900_000 },
    async () => {
      const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
      const query = new URLSearchParams({ preset: 'paper-qwen', base: baseId, 'task.name': 'determinant' });
      await page.goto(`${lab.engine.origin}/studies/new?${query.toString()}`);
      await page.getByText('All parameters').click();
      for (const [name, value] of Object.entries(typed)) await page.locator(`[name="${name}"]`).fill(value);
      await page.getByText('5 jobs for 1 seed').waitFor();
      await start(page).click();
      await page.getByRole('heading', { name: typed.name }).waitFor();
      expect(await page.getByText('Pretrain the base').count()).toBe(0);
      await page.locator('main header .badge', { hasText: 'running' }).waitFor();
      // Live: answers of the first checkpoint can be read while SFT goes on.
      const [study] = await lab.engine.call('studies.list', {});
      const id = study!.id;
      await page.locator('main header .badge', { hasText: 'done' }).waitFor({ timeout: 800_000 });
      const figures = await drawnFigures(page);
      const titles = figures.map(({ title }) => title);
      expect(titles).toEqual(expect.arrayContaining(['What the answers are like', 'pass@k of sampled answers']));
      expect(titles.filter((title) => /Reversion|Interpolation|pretraining/.test(title))).toEqual([]);
      await page.getByText('solved within 2 attempts').waitFor();
      await page.getByText('SFT data and held-out episodes').waitFor();
      await picture('text-study-light');

      // From a point of the curve, by keyboard: the last checkpoint on OOD.
      const curve = page.locator('main section.figure', { hasText: 'Accuracy of SFT' }).first();
      await curve.scrollIntoViewIfNeeded();
      await curve.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
      await curve.focus();
      for (const key of ['ArrowLeft', 'Enter']) await page.keyboard.press(key);
      await page.waitForURL((url) => url.pathname === `/studies/${id}/answers`);
      expect(new URL(page.url()).searchParams.get('at')).toBe('seed-3.sft:4');
      const list = page.getByRole('listbox', { name: 'Answers' });
      await list.getByRole('option').first().waitFor();
      const jobId = (await lab.engine.call('studies.get', { id })).stages[0]!.jobId!;
      const { total } = await lab.engine.call('samples.read', { jobId, at: 4, split: 'ood' });
      await page.getByText(`${total} answers`, { exact: true }).waitFor();
      await list.focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.waitForURL((url) => url.searchParams.get('index') === '2');
      const { samples } = await lab.engine.call('samples.read', { jobId, at: 4, split: 'ood', offset: 2, limit: 1 });
      const panel = page.getByRole('article').first();
      await panel.getByText(samples[0]!.verdict, { exact: true }).waitFor();
      expect(await panel.locator('ol pre').first().innerText()).toBe(samples[0]!.messages[0]!.content);

      // The same episode at the base beside it, and both after a reload of the address.
      await page.getByRole('combobox', { name: 'Beside it' }).selectOption('seed-3.sft:0');
      await page.getByRole('article').nth(1).waitFor();
      await picture('answers-beside-light');
      await page.reload();
      await page.getByRole('article').nth(1).waitFor();
      const places = await page.getByRole('article').locator('header p').allInnerTexts();
      expect(new Set(places.map((place) => place.split(',')[0])).size).toBe(1);
      expect(
        await page.getByRole('listbox').getByRole('option', { selected: true }).getAttribute('aria-posinset'),
      ).toBe('3');

      await page.getByRole('combobox', { name: 'Kind' }).selectOption('forced');
      await page.locator('article mark').first().waitFor();
      expect(await inEveryLook(page, 'answers side by side')).toEqual([]);
      await picture('answers-forced-dark-narrow');
      await page.getByRole('button', { name: 'Rule slips' }).click();
      await page.getByText('passes the filter "Rule slips"').waitFor();

      // A point of RL opens its answers as a point of SFT does.
      await page.goto(`${lab.engine.origin}/studies/${id}`);
      const rl = page.locator('main section.figure', { hasText: /RL from .*by iteration/ }).first();
      await rl.scrollIntoViewIfNeeded();
      await rl.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
      await rl.focus();
      for (const key of ['ArrowRight', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
      await page.waitForURL((url) => /^seed-3\.rl-.*:1$/.test(url.searchParams.get('at') ?? ''));
      await list.getByRole('option').first().waitFor();

      // So does a point of an ablation: the edited model beside the unedited one.
      const ids = await lab.engine.call('sweeps.studyCheckpoints', { studyId: id, seed: 3 });
      const settings = { sweep: { kind: 'interpolation' as const, alphas: [0.5] }, task: study!.settings.task };
      const pairs = [{ targetId: ids.end!, referenceId: ids.base! }];
      const sweep = await lab.engine.call('sweeps.start', { name: 'Half way back', pairs, settings });
      const done = async () => (await lab.engine.call('sweeps.get', { id: sweep.id })).state === 'succeeded';
      await until('the sweep', done, 120_000);
      const { points } = await lab.engine.call('sweeps.get', { id: sweep.id });
      const point = points.find(({ edit }) => edit === 'interpolation')!;
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize(wide);
      await page.goto(`${lab.engine.origin}/ablations/${sweep.id}?point=${point.key}`);
      const browse = page.getByRole('link', { name: 'Browse its answers' });
      await browse.waitFor();
      await picture('ablation-point-answers-light');
      await browse.click();
      await page.getByRole('article').nth(1).waitFor();
      expect(await page.getByRole('combobox', { name: 'Point' }).inputValue()).toBe(point.key);
      const shown = await page.getByRole('article').locator('h2').allInnerTexts();
      expect(shown[0]).toMatch(/^Weights 50 % of the way/);
      expect(shown[1]).toMatch(/unedited$/);
      await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Half way back' }).waitFor();
      await picture('point-answers-light');
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.setViewportSize(narrow);
      await picture('point-answers-dark-narrow');
      await page.goto(`${lab.engine.origin}/ablations/none/answers`);
      await page.getByText('There is no ablation at this address').waitFor();

      await page.goto(`${lab.engine.origin}/studies/${id}`);
      await page.getByText('Export SFT data').click();
      expect(await page.getByLabel('Seed', { exact: true }).inputValue()).toBe('3');
      expect(await inEveryLook(page, 'study in text')).toEqual([]);
      await page.setViewportSize(wide);
      // The gallery has the figures of answers too, and each one draws or says what it waits for.
      await page.goto(`${lab.engine.origin}/figures?study=${id}`);
      const cards = page.locator('li.item');
      await cards.filter({ hasText: 'What the answers are like' }).waitFor();
      await cards.filter({ hasText: 'pass@k of sampled answers' }).waitFor();
      await picture('figures-of-text-study-light');
      await page.goto(`${lab.engine.origin}/studies/${id}`);
      await page.getByRole('link', { name: 'Spectrum: SFT_End → RL_End' }).click();
      await page.waitForURL((url) => url.pathname === '/spectrum' && url.searchParams.get('reference') !== '');
      expect(faults).toEqual([]);
      await context.close();
    },
  );
});
