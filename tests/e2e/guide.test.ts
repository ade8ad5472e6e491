/** F1 opens the page of the guide that explains what is on the screen. */
import { expect, test } from 'vitest';
import { pages } from '../../renderer/components/pages.ts';
import { openPage } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

describeWith([chromium], 'The guide in Chromium', () => {
  const lab = startLab();

  test('F1 explains every page of the rail, and the contents lead on', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const rail = page.getByRole('navigation', { name: 'Pages' });
    await rail.waitFor();
    const guide = page.getByRole('dialog', { name: 'Guide' });
    const text = guide.getByRole('article');
    for (const { label } of pages) {
      await rail.getByRole('link', { name: label, exact: true }).click();
      await page.keyboard.press('F1');
      await text.getByRole('heading', { level: 1, name: label, exact: true }).waitFor();
      await page.keyboard.press('Escape');
      await guide.waitFor({ state: 'detached' });
    }
    await page.keyboard.press('F1');
    await guide.getByRole('button', { name: 'Comparison', exact: true }).click();
    await text.getByText('The grey line').waitFor();
    await picture('guide');
    expect(faults).toEqual([]);
    await context.close();
  });
});
