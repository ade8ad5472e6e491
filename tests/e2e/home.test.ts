/** The first page, in a real Chromium on a real engine: three doors, themes, sizes, and who is let in. */
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { narrow, openPage, wide } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

describeWith([chromium], 'Home in Chromium', () => {
  const lab = startLab();

  test.each([
    ['light', 'wide', wide],
    ['dark', 'wide', wide],
    ['light', 'narrow', narrow],
    ['dark', 'narrow', narrow],
  ] as const)('draws its three doors, %s and %s', async (colorScheme, size, viewport) => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address, {
      colorScheme,
      viewport,
    });
    for (const door of ['Run the miniature study', 'Open the sample study', 'Drop a checkpoint']) {
      await page.getByRole('heading', { name: door }).waitFor();
    }
    await page.getByText('on this machine').waitFor(); // The estimate has come.
    await page
      .getByRole('contentinfo')
      .getByText(/CPU|GPU|NVIDIA/)
      .first()
      .waitFor({ state: 'attached' }); // So has what computes.
    expect(await page.locator('html').getAttribute('data-theme')).toBe(colorScheme);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow, 'horizontal scrolling').toBeLessThanOrEqual(0);
    await picture(`home-${colorScheme}-${size}`);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the backend is chosen in the foot, for new jobs', async () => {
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    const inUse = page.getByRole('contentinfo').getByRole('button', { name: /CPU|GPU/ });
    await inUse.click();
    const choice = page.getByLabel('Backend of new jobs');
    expect(await choice.inputValue()).toBe('auto');
    await choice.selectOption('wasm');
    await page.getByRole('dialog').getByText('WebAssembly was asked for.').waitFor();
    await page.reload();
    await inUse.click();
    expect(await choice.inputValue()).toBe('wasm');
    await choice.selectOption('auto');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the token leaves the address, and a reload needs none', async () => {
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { name: 'Run the miniature study' }).waitFor();
    expect(page.url()).not.toContain(lab.engine.token);
    await page.reload();
    await page.getByRole('heading', { name: 'Run the miniature study' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the chosen theme and page survive a reload and another tab', async () => {
    const { page, context } = await openPage(lab.browser, lab.engine.address, { colorScheme: 'light' });
    await page.getByLabel('Theme').selectOption({ label: 'Dark' });
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    await page.waitForTimeout(700); // Choices are written once they have settled.
    await page.reload();
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    const other = await context.newPage();
    await other.goto(lab.engine.address);
    await other.getByRole('heading', { level: 1 }).waitFor();
    expect(await other.locator('html').getAttribute('data-theme')).toBe('dark');
    await other.getByLabel('Theme').selectOption({ label: 'System theme' });
    await other.waitForTimeout(700);
    await context.close();
  });

  test.each([
    ['a wrong token', () => `${lab.engine.origin}/#token=${'x'.repeat(lab.engine.token.length)}`],
    ['no token', () => lab.engine.origin],
  ])('a page with %s is refused, and says so', async (_name, address) => {
    const { page, context, faults, picture } = await openPage(lab.browser, address());
    await page.getByRole('alert').getByText('This page may not talk to the engine').waitFor();
    expect(await page.getByRole('heading', { name: 'Run the miniature study' }).count()).toBe(0);
    await picture('refused');
    expect(faults.filter((fault) => fault.startsWith('content security'))).toEqual([]);
    await context.close();
  });

  test('another origin is refused before any token is looked at', async () => {
    const status = await new Promise((resolve) => {
      const socket = new WebSocket(`${lab.engine.origin.replace('http', 'ws')}/engine`, {
        origin: 'http://evil.invalid',
      });
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('open', () => resolve('open'));
      socket.once('error', () => undefined);
    });
    expect(status).toBe(403);
    const answer = await fetch(lab.engine.origin);
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
  });
});
