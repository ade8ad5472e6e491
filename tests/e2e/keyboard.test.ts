/** The main flow without a mouse: to a page, through the palette, into a form, a study started and cancelled. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { pages } from '../../renderer/components/pages.ts';
import { openPage } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

/** More Tab presses than any of these pages has stops. */
const maxStops = 80;

describeWith([chromium], 'The keyboard in Chromium', () => {
  const lab = startLab();

  /** Tabs until the focused element has this text or label, checking on the way that the focus can be seen. */
  async function tabTo(page: Page, name: string): Promise<void> {
    for (let stop = 0; stop < maxStops; stop += 1) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const style = getComputedStyle(element);
        const name = element.getAttribute('aria-label') ?? (element.textContent ?? '').trim();
        return { name, seen: style.outlineStyle !== 'none' || style.boxShadow !== 'none' };
      });
      if (focused?.name !== name) continue;
      expect(focused.seen, `focus ring of "${name}"`).toBe(true);
      return;
    }
    throw new Error(`"${name}" cannot be reached with Tab.`);
  }

  test('every page by its key, and through the palette', async () => {
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    for (const { digit, path } of [...pages].reverse()) {
      await page.keyboard.press(`Control+${digit}`);
      await page.waitForURL((url) => url.pathname === path);
    }
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /^Go to/ }).waitFor();
    await page.keyboard.type('jobs');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === '/jobs');
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: /^Go to/ }).waitFor({ state: 'hidden' });
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a study from its parameters to its cancelling', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await tabTo(page, 'Change parameters');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'New study' }).waitFor();
    await picture('new-study-light');
    await tabTo(page, 'Start');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => /^\/studies\/(?!new)/.test(url.pathname));
    await page.locator('main header .badge', { hasText: 'running' }).waitFor();
    await tabTo(page, 'Cancel');
    await page.keyboard.press('Enter');
    await page.locator('main header .badge', { hasText: 'cancelled' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
