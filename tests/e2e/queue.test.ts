/** The queue in the page: order by buttons, keys and dragging, in two windows; pauses of the queue and of a job; what is used. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Job, Study } from '../../main/contract/api.ts';
import { openPage } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { settingsOfLongStudy } from './studySettings.ts';
import { until } from './waiting.ts';

const seeds = [1, 2, 3, 4];

/**
 * What the page's own thread computed in each quarter of a second, ms. By the clock a task lasts longer while other programs
 * use the processors, and here two jobs do.
 */
async function computedMs(page: Page, slices: number): Promise<number[]> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busyMs = async (): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return 1000 * metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const found: number[] = [];
  for (let before = await busyMs(); found.length < slices;) {
    await page.waitForTimeout(250);
    const now = await busyMs();
    found.push(now - before);
    before = now;
  }
  return found;
}

describeWith([chromium], 'The queue in Chromium', () => {
  const lab = startLab();
  const call = (...args: Parameters<typeof lab.engine.call>) => lab.engine.call(...args);

  async function startStudy(): Promise<Study> {
    const study = await lab.engine.call('studies.create', { settings: { ...settingsOfLongStudy, seeds }, new: true });
    return lab.engine.call('studies.start', { id: study.id });
  }
  async function jobsOf(study: Study, state: Job['state']): Promise<Job[]> {
    return (await lab.engine.call('jobs.list', {})).filter((job) => job.studyId === study.id && job.state === state);
  }
  /** Seeds of the waiting jobs, as the page lists them. */
  async function order(page: Page): Promise<string> {
    const rows = page.getByRole('row').filter({ hasText: 'in the queue' });
    return (await rows.getByRole('link').allTextContents()).map((text) => text.at(-1)).join('');
  }
  const shows = (page: Page, expected: string): Promise<unknown> =>
    until(`the order ${expected}`, async () => (await order(page)) === expected);
  const focusedName = (page: Page): Promise<string | null> =>
    page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? null);

  test('order by buttons, keys and dragging; a second window and a reload show the same', async () => {
    await call('jobs.pauseQueue', { paused: true });
    const study = await startStudy();
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const other = await openPage(lab.browser, lab.engine.address);
    for (const one of [page, other.page]) {
      await one.goto(`${lab.engine.origin}/jobs`);
      await shows(one, '1234');
    }
    await page.getByText('The queue is paused.').waitFor();
    await page.getByText('4 jobs wait.').waitFor();
    await page.getByRole('button', { name: 'Move Pretrain the base · seed 3 up' }).click();
    for (const one of [page, other.page]) await shows(one, '1324');
    // The button that was pressed keeps the focus: the next press moves the same job.
    await until('the focus', async () => (await focusedName(page)) === 'Move Pretrain the base · seed 3 up');
    await page.keyboard.press('Enter');
    await shows(page, '3124');
    await page.getByText('Pretrain the base · seed 3: 1 of 4 in the queue.').first().waitFor({ state: 'attached' });
    await page.keyboard.press('Alt+ArrowDown');
    await shows(page, '1324');
    await until('the focus', async () => (await focusedName(page)) === 'Move Pretrain the base · seed 3 up');
    await page.keyboard.press('Alt+ArrowDown');
    await page.keyboard.press('Alt+ArrowDown');
    for (const one of [page, other.page]) await shows(one, '1243');
    await page.keyboard.press('Alt+ArrowDown');
    await page.keyboard.press('Alt+Home');
    for (const one of [page, other.page]) await shows(one, '3124');
    await page.getByRole('button', { name: 'Undo' }).click();
    for (const one of [page, other.page]) await shows(one, '1243');
    const row = (seed: number) => page.getByRole('row').filter({ hasText: `seed ${seed}` });
    await row(4).locator('.grip').dragTo(row(1));
    for (const one of [page, other.page]) await shows(one, '4123');
    await row(4).locator('.grip').dragTo(row(2));
    await shows(page, '1243');
    await picture('queue-paused-light');
    await page.reload();
    await shows(page, '1243');
    expect((await jobsOf(study, 'queued')).map(({ seed }) => seed).sort()).toEqual(seeds);
    await lab.engine.call('studies.cancel', { id: study.id });
    await page.getByText('0 jobs wait.').waitFor();
    await page.getByRole('button', { name: 'Resume queue' }).click();
    await page.getByText('The queue is paused.').waitFor({ state: 'detached' });
    await other.page.getByRole('button', { name: 'Pause queue' }).waitFor();
    expect([...faults, ...other.faults]).toEqual([]);
    await context.close();
    await other.context.close();
  });

  test('a job is paused and resumed by its buttons, what is used is drawn, and nothing holds the page up', async () => {
    const study = await startStudy();
    await until('two jobs to run', async () => (await jobsOf(study, 'running')).length === 2);
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.goto(`${lab.engine.origin}/jobs`);
    const row = page.getByRole('row').filter({ hasText: 'Pretrain the base · seed 1' }).first();
    await row.getByText(/Pretraining step \d+/).waitFor({ timeout: 60_000 });
    const figure = page.getByRole('region', { name: 'Use of this machine' });
    await figure.locator('svg path').first().waitFor({ state: 'attached' });
    // Three redraws and more, and what the jobs say meanwhile.
    const slices = await computedMs(page, 28);
    expect(Math.max(...slices)).toBeLessThan(100);
    expect(await figure.getByRole('img').first().getAttribute('aria-label')).toMatch(
      /2 jobs used [\d.]+ processors and .+ of memory/,
    );
    await figure.getByText('No GPU reports its use here.').waitFor();
    const samples = (await lab.engine.call('jobs.usage', {})).samples.length;
    await page.reload();
    await figure.getByRole('button', { name: 'Show as table' }).click();
    await figure.getByRole('row').nth(Math.min(samples, 5)).waitFor();
    await figure.getByRole('button', { name: 'Show as chart' }).click();
    await picture('jobs-usage-light');

    const [job] = (await jobsOf(study, 'running')).filter(({ seed }) => seed === 1);
    const button = row.getByRole('button', { name: 'Pause' });
    expect(await button.getAttribute('title')).toMatch(
      /Resumed, it (goes on from step|starts again from the beginning)/,
    );
    // With much to lose it asks first: here ten minutes, by the page's clock.
    await page.evaluate(() => {
      const now = Date.now;
      Date.now = () => now() + 600_000;
    });
    await button.click();
    const dialog = page.getByRole('dialog', { name: 'Pause Pretrain the base · seed 1?' });
    await dialog.getByText(/^Resumed, it .*10 min( \d+ s)?/).waitFor();
    await picture('jobs-pause-dialog-light');
    await dialog.getByRole('button', { name: 'Let it run' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await jobsOf(study, 'paused')).toEqual([]);
    await button.click();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await row.getByText('paused').waitFor();
    await row.getByText(/Pretraining step \d+ of/).waitFor();
    // Its place on the cores is free: the next one runs.
    await until('the next job', async () => (await jobsOf(study, 'running')).length === 2);
    await page.goto(`${lab.engine.origin}/studies/${study.id}`);
    await page.getByText('Seed 1', { exact: true }).click();
    await page.getByRole('button', { name: 'Resume Pretrain the base' }).waitFor();
    await lab.engine.call('jobs.pauseQueue', { paused: true });
    for (const { id } of [...(await jobsOf(study, 'running')), ...(await jobsOf(study, 'queued'))])
      await lab.engine.call('jobs.pause', { id });
    await page.locator('main header .badge', { hasText: 'paused' }).waitFor();
    await page.getByRole('contentinfo').getByText('Queue paused').waitFor();
    await lab.engine.call('jobs.pauseQueue', { paused: false });
    await page.getByRole('contentinfo').getByText('4 jobs paused').waitFor();
    await page.goto(`${lab.engine.origin}/jobs/${job!.id}`);
    await page.getByText(/^Resumed, it (goes on from step \d+, its checkpoint of|starts again)/).waitFor();
    await row.getByRole('button', { name: 'Resume' }).click();
    await row.getByText('running').waitFor();
    await page.getByText('attempt 2').waitFor();
    await lab.engine.call('studies.cancel', { id: study.id });
    await row.getByText('cancelled').waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
