/** A page held to WCAG 2.2 A and AA by axe-core. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { narrow, wide } from './browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What is wrong on the page as it is, a line an element. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults, string[]>(
    // the function runs in the page, where the script has just put `axe`
    (values) => (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({ runOnly: { type: 'tag', values } }), // prettier-ignore
    rules,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target.join(' ')} ${failureSummary ?? ''}`),
  );
}

/** In both themes, wide and narrow. */
export async function inEveryLook(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  for (const [colorScheme, size, viewport] of [
    ['light', 'wide', wide],
    ['dark', 'wide', wide],
    ['light', 'narrow', narrow],
    ['dark', 'narrow', narrow],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    await page.waitForTimeout(150);
    found.push(...(await violations(page)).map((line) => `${name}, ${colorScheme}, ${size}: ${line}`));
  }
  return found;
}
