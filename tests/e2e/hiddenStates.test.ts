/** Hidden states on the page of the sample study, and how many episodes its open questions and a new study need. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { narrow, openPage, wide } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { until } from './waiting.ts';

/** Five small checkpoints; a loaded two-core machine starts a worker in seconds. */
const runMs = 90_000;

describeWith([chromium], 'Hidden states and episodes in Chromium', () => {
  const lab = startLab();
  const figure = (page: Page, title: string) =>
    page.locator('main section.figure').filter({ has: page.getByRole('heading', { name: title }) });
  const states = (page: Page) => figure(page, 'Hidden states of the last prompt token');
  const distances = (page: Page) => figure(page, 'Distances of the hidden states');
  /** Figures above it grow as they come into view. */
  const comesIntoView = (page: Page, title: string) =>
    until(title, async () => {
      await figure(page, title).scrollIntoViewIfNeeded();
      return (await figure(page, title).locator('[role=img] svg path').count()) > 0;
    }, runMs); // prettier-ignore

  test('computed on request, drawn in one basis a split, there again after a reload', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.waitForURL((url) => url.pathname.startsWith('/studies/'));
    await states(page).locator('summary').click();
    expect(await states(page).getByRole('checkbox').count()).toBe(5);
    const compute = states(page).getByRole('button', { name: 'Compute' });
    // two at least
    for (const label of ['SFT peak', 'SFT_End', 'last SFT', 'RL_End']) await states(page).getByLabel(label).uncheck();
    await states(page).getByText('Choose two checkpoints or more.').waitFor();
    expect(await compute.isDisabled()).toBe(true);
    for (const label of ['SFT peak', 'SFT_End', 'RL_End']) await states(page).getByLabel(label).check();

    await compute.click();
    await states(page).getByRole('button', { name: 'Cancel' }).click();
    await until(
      'the cancelled job',
      async () => (await lab.engine.call('hiddenStates.list', {}))[0]?.state === 'cancelled',
    );
    await compute.click();
    await comesIntoView(page, 'Hidden states of the last prompt token');
    const [job] = await lab.engine.call('hiddenStates.list', {});
    expect(job).toMatchObject({ state: 'succeeded', settings: { prompts: 300 } });
    expect(
      await states(page)
        .locator('[role=img] svg text', { hasText: /^(ID|OOD) · / })
        .count(),
    ).toBe(8);
    expect(await states(page).locator('[role=img] svg path').count()).toBeGreaterThan(8 * 300);
    expect(await compute.isDisabled()).toBe(true);
    // another choice keeps what is drawn until it is computed; the first one is there again when it is chosen again
    await states(page).getByRole('checkbox', { name: 'base' }).uncheck();
    await compute.click();
    const panel = (title: string) => states(page).locator('[role=img] svg text', { hasText: title });
    await panel('ID · base').waitFor({ state: 'detached', timeout: runMs });
    await states(page).getByRole('checkbox', { name: 'base' }).check();
    await panel('ID · base').waitFor();
    expect(await compute.isDisabled()).toBe(true);

    await comesIntoView(page, 'Distances of the hidden states');
    await distances(page)
      .getByText(/RL_End against SFT_End, in distance from SFT peak: farther on ID prompts/)
      .waitFor();
    await distances(page).getByLabel('Distances from').selectOption('SFT peak');
    await distances(page).locator('[role=img] svg text', { hasText: 'From SFT peak, same prompts' }).waitFor();
    await distances(page).getByRole('button', { name: 'Show as table' }).click();
    expect(await distances(page).locator('tbody tr').count()).toBe(4 + 2 * 6);
    await distances(page).getByRole('button', { name: 'Show as chart' }).click();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [name, viewport] of [
        ['wide', wide],
        ['narrow', narrow],
      ] as const) {
        // prettier-ignore
        await page.setViewportSize(viewport);
        await page.waitForTimeout(400);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `horizontal scrolling, ${name}`).toBeLessThanOrEqual(0);
        await states(page).evaluate((element) => element.scrollIntoView());
        await page.waitForTimeout(300);
        await picture(`hidden-states-${colorScheme}-${name}`);
      }
    }
    await page.setViewportSize(wide);
    await page.reload();
    await comesIntoView(page, 'Distances of the hidden states');
    expect(await lab.engine.call('hiddenStates.list', {})).toHaveLength(2);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('says how many episodes what is not distinguishable would need, and plans a new study', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const [study] = await lab.engine.call('studies.list', {});
    await page.goto(`${lab.engine.origin}/studies/${study!.id}`);
    await page.getByText(/\d+ differences are not distinguishable/).click();
    const row = page.locator('main tr', { hasText: 'RL (plain PPO) against SFT_End, OOD' });
    await row.getByText(/^about 1,[67]\d0$/).waitFor();
    await row.getByText('90 %: -4.7 to +0.7 points').waitFor();
    await picture('episodes-needed-light');

    await page.goto(`${lab.engine.origin}/studies/new`);
    await page.getByText('How many episodes?').click();
    await page.getByLabel('Accuracy (%)').fill('16.2');
    await page.getByLabel('Difference to tell (points)').fill('1.3');
    await page.getByText(/Different episodes: about 10,\d00 for each \(about 13,\d00 two-sided\)/).waitFor();
    await page.getByLabel('Answers that disagree').fill('1');
    await page.getByText('Answers disagree on as many episodes').waitFor();
    await page.getByLabel('Answers that disagree').fill('5');
    await page.getByRole('button', { name: 'Use this number' }).click();
    const typed = Number(await page.getByLabel('Evaluation episodes a split').inputValue());
    expect(typed).toBeGreaterThan(1500);
    await page.getByText(`The ${typed.toLocaleString('en')} evaluation episodes that are set tell a rise`).waitFor();
    await picture('episode-planner-light');
    expect(faults).toEqual([]);
    await context.close();
  });
});
