/** The runs of the sample study: found, laid over each other, noted and tagged, in two windows at a time. */
import { expect, test } from 'vitest';
import { openPage } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

describeWith([chromium], 'Runs in Chromium', () => {
  const lab = startLab();

  test('without a run, the page says how to get one', async () => {
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByText('No runs yet').waitFor();
    expect(await page.getByRole('main').getByRole('link', { name: 'New study' }).count()).toBe(1);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('chosen runs are drawn over each other, and the address holds every choice', async () => {
    await lab.engine.call('studies.openSample', {});
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    const rows = page.locator('tr.run');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(10);
    await page.getByRole('button', { name: 'OOD accuracy', exact: true }).click();
    const column = page.getByRole('columnheader', { name: 'OOD accuracy', exact: true });
    expect(await column.getAttribute('aria-sort')).toBe('descending');
    const shares = (await rows.locator('td:nth-child(7)').allInnerTexts()).filter(Boolean).map(parseFloat);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    await page.getByLabel('Filter runs').fill('anchor seed');
    await page.getByLabel('Stages shown').selectOption('rl');
    expect(await rows.count()).toBe(7);
    await rows.nth(0).getByRole('checkbox').click();
    await rows
      .nth(2)
      .getByRole('checkbox')
      .click({ modifiers: ['Shift'] });
    await page.getByText('3 selected').waitFor();
    await page.getByLabel('Quantity').selectOption('reward');
    await page.getByLabel('Smoothing').fill('0.8');
    await page.getByLabel('Log steps').check();
    await page.getByLabel('Steps', { exact: true }).fill('5');
    const figure = page.getByRole('img', { name: /^Reward by step of 3 runs/ });
    await figure.locator('svg path').first().waitFor({ state: 'attached' });
    // A setting that these three differ in, and none that they share.
    await page.getByRole('rowheader', { name: 'startStep' }).waitFor();
    expect(await page.getByRole('rowheader', { name: 'rl.learningRate' }).count()).toBe(0);
    await picture('runs-light');
    const address = page.url();
    await page.reload();
    await figure.waitFor();
    expect(page.url()).toBe(address);
    expect(await page.getByLabel('Smoothing').inputValue()).toBe('0.8');
    expect(await page.getByLabel('Log steps').isChecked()).toBe(true);
    expect(await page.getByLabel('Steps', { exact: true }).inputValue()).toBe('5');
    // Another page and back: as it was left.
    await page.getByRole('link', { name: 'Home', exact: true }).click();
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await figure.waitFor();
    // As a table, the figure has what is drawn.
    await page.getByRole('button', { name: 'Show as table' }).click();
    await page.getByRole('columnheader', { name: 'moving average' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('notes, tags and the trash are the same in every window; what was removed comes back', async () => {
    const one = await openPage(lab.browser, lab.engine.address);
    await one.page.getByRole('heading', { level: 1 }).waitFor();
    await one.page.goto(`${lab.engine.origin}/runs?filter=pretrain`);
    const other = await openPage(lab.browser, lab.engine.address);
    await other.page.getByRole('heading', { level: 1 }).waitFor();
    await other.page.goto(`${lab.engine.origin}/runs?filter=base line`);
    await other.page.getByText('No run matches the filter.').waitFor();
    await one.page.locator('tr.run').first().waitFor();
    await one.page.getByRole('checkbox').first().click();
    await one.page.getByLabel('New tag').fill('base line');
    await one.page.getByLabel('New tag').press('Enter');
    const row = other.page.locator('tr.run');
    await row.filter({ hasText: 'Pretrain the base' }).waitFor();
    await one.page.getByLabel('Note of the selected run').fill('Kept for comparison.');
    await one.page.getByRole('button', { name: 'Save note' }).click();
    await other.page.getByLabel('has a note').waitFor();
    await one.page.getByRole('button', { name: 'Remove from the list' }).click();
    await other.page.getByText('No run matches the filter.').waitFor();
    await other.page.getByRole('button', { name: 'Trash' }).click();
    await row.filter({ hasText: 'Pretrain the base' }).waitFor();
    await one.page.getByRole('button', { name: 'Undo' }).click();
    await one.page.locator('tr.run').first().waitFor();
    await other.page.getByText('The trash is empty').waitFor();
    await other.page.getByRole('button', { name: 'Back to the runs' }).click();
    await row.filter({ hasText: 'base line' }).waitFor();
    await row.getByRole('checkbox').click();
    await other.page.getByRole('button', { name: 'Take tag base line off' }).click();
    await other.page.getByText('No run matches the filter.').waitFor();
    expect([...one.faults, ...other.faults]).toEqual([]);
    await one.context.close();
    await other.context.close();
  });
});
