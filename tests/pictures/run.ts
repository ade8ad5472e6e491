/**
 * The pictures of the README, from the real app on the sample study: `npm run pictures` (after `npm test`, which installs
 * the browser). Looked at and committed when a page changes.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { launchBrowser, openPage } from '../e2e/browser.ts';
import { built } from '../e2e/builds.ts';
import { type EngineUnderTest, startEngineUnderTest } from '../e2e/engineUnderTest.ts';
import { until } from '../e2e/waiting.ts';

const pictureFolder = join(repositoryFolder, 'resources', 'readme');
const viewport = { width: 1280, height: 860 };
const jobMs = 600_000;

async function ended(engine: EngineUnderTest, id: string): Promise<void> {
  const succeeded = async (): Promise<boolean> => (await engine.call('jobs.get', { id })).state === 'succeeded';
  await until(`job ${id} to end`, succeeded, jobMs);
}

interface Picture {
  name: string;
  path: string;
  /** What is done before it is taken. */
  prepare?: (page: Page) => Promise<void>;
}

const scrollToFigures = (page: Page): Promise<void> =>
  page
    .locator('main section.figure')
    .first()
    .evaluate((figure) => figure.scrollIntoView());

async function chooseTwoPanels(page: Page): Promise<void> {
  for (const index of [0, 1]) await page.getByRole('button', { name: /^Add/ }).nth(index).click();
  await page.locator('main').evaluate((main) => main.scrollTo(0, 0));
}

/** A comparison and a sweep of the sample's own checkpoints, and where each picture is taken. */
async function pictures(engine: EngineUnderTest): Promise<Picture[]> {
  const study = await engine.call('studies.openSample', {});
  const checkpoints = await engine.call('checkpoints.list', {});
  const idOf = (role: string): string => checkpoints.find(({ folder }) => folder.endsWith(`seed-0-${role}`))!.id;
  const [referenceId, targetId] = [idOf('peak'), idOf('end')];
  const comparison = await engine.call('spectra.start', { referenceId, targetIds: [targetId] });
  const sweep = await engine.call('sweeps.start', {
    name: 'Back to the peak, by layers and ranks',
    pairs: [{ targetId, referenceId }],
    settings: { sweep: { kind: 'reversion', axes: ['layers', 'ranks'] }, task: { evaluationEpisodes: 600 } },
  });
  await Promise.all([ended(engine, comparison.id), ended(engine, sweep.id)]);
  return [
    { name: 'study', path: `/studies/${study.id}`, prepare: scrollToFigures },
    { name: 'spectrum', path: `/spectrum/${comparison.id}` },
    { name: 'ablation', path: `/ablations/${sweep.id}` },
    { name: 'figures', path: `/figures?study=${study.id}`, prepare: chooseTwoPanels },
  ];
}

const engine = await startEngineUnderTest(`${await built('production')}/renderer`);
const browser = await launchBrowser();
try {
  for (const { name, path, prepare } of await pictures(engine)) {
    const { page, context } = await openPage(browser, engine.address, { viewport });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${engine.origin}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await prepare?.(page);
    await page.waitForTimeout(1500);
    await page.screenshot({ path: join(pictureFolder, `${name}.png`) });
    await context.close();
    console.log(`resources/readme/${name}.png`);
  }
} finally {
  await browser.close();
  await engine.stop();
}
