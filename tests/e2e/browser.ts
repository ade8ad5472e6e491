/** A real Chromium on the real engine, with everything noted that a page must not do. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium as playwright } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { chromium } from './parts.ts';

export const wide = { width: 1440, height: 900 };
export const narrow = { width: 760, height: 900 };

/** Screenshots to look at; not compared. */
const pictureFolder = join(repositoryFolder, 'test-results');

export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Violations of the content security policy, uncaught errors and failed requests, in words. Has to stay empty. */
  faults: string[];
  picture(name: string): Promise<void>;
}

export function launchBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: chromium.path,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Put into every page before its own scripts run. */
export const watchViolations = `document.addEventListener('securitypolicyviolation', (event) =>
  window.noteViolation(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile + ':' + event.lineNumber
    + ' ' + event.sample))`;

export async function openPage(
  browser: Browser,
  address: string,
  options: { colorScheme?: 'light' | 'dark'; viewport?: { width: number; height: number } } = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    colorScheme: 'light',
    viewport: wide,
    reducedMotion: 'reduce',
    ...options,
  });
  const faults: string[] = [];
  await context.exposeFunction('noteViolation', (text: string) => faults.push(`content security policy: ${text}`));
  await context.addInitScript(watchViolations);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  await page.goto(address);
  const picture = async (name: string): Promise<void> => {
    mkdirSync(pictureFolder, { recursive: true });
    await page.screenshot({ path: join(pictureFolder, `${name}.png`) });
  };
  return { page, context, faults, picture };
}

/** Has nothing to draw until somebody asks for it. */
export const onRequest = 'Hidden states of the last prompt token';

/**
 * Every figure of a study page that draws by itself, scrolled to one by one (they draw when they come into view), and how many marks it drew.
 * 0: it says that it has no data yet.
 */
export async function drawnFigures(page: Page): Promise<{ title: string; marks: number }[]> {
  const figures = page
    .locator('main section.figure')
    .filter({ hasNot: page.getByRole('heading', { name: onRequest }) });
  const found: { title: string; marks: number }[] = [];
  for (let index = 0; index < (await figures.count()); index += 1) {
    const figure = figures.nth(index);
    await figure.scrollIntoViewIfNeeded();
    // A figure without data keeps saying so; one with data draws a few frames after it comes into view.
    const marks = figure.locator('[role=img] svg path');
    await marks
      .first()
      .waitFor({ state: 'attached', timeout: 3000 })
      .catch(() => undefined);
    const title = await figure.locator('h3').innerText();
    found.push({ title, marks: await marks.count() });
  }
  await page.locator('main h1').scrollIntoViewIfNeeded();
  return found;
}
