/** Every page, filled and empty, by axe-core: no violation of WCAG 2.2 A or AA, in both themes, wide and narrow. */
import { expect, test } from 'vitest';
import { pages } from '../../renderer/components/pages.ts';
import type { Job } from '../../main/contract/api.ts';
import { inEveryLook, violations } from './axe.ts';
import { openPage } from './browser.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';
import { settingsOfLongStudy } from './studySettings.ts';
import { until } from './waiting.ts';

/** Two small sweeps and comparisons on a loaded two-core machine. */
const preparedMs = 240_000;

describeWith([chromium], 'Accessibility in Chromium', () => {
  const lab = startLab();

  test('finds what is wrong', async () => {
    const { page, context } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.evaluate(() => document.querySelector('main')!.append(document.createElement('button')));
    expect(await violations(page)).toEqual([expect.stringMatching(/^button-name/)]);
    await context.close();
  });

  test('empty pages', async () => {
    const { page, context, faults } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const found: string[] = [];
    for (const { path } of [...pages, { path: '/studies/new' }, { path: '/ablations/new' }, { path: '/settings' }]) {
      await page.goto(`${lab.engine.origin}${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      found.push(...(await inEveryLook(page, `empty ${path}`)));
    }
    expect(found).toEqual([]);
    expect(faults).toEqual([]);
    await context.close();
  }, 120_000);

  test('jobs that wait, run and are paused, in a paused queue', async () => {
    const { engine } = lab;
    const settings = { ...settingsOfLongStudy, seeds: [1, 2, 3, 4] };
    const study = await engine.call('studies.create', { settings, new: true });
    const pretraining = async (state: string): Promise<Job[]> =>
      (await engine.call('jobs.list', {})).filter((job) => job.studyId === study.id && job.state === state);
    await engine.call('studies.start', { id: study.id });
    const [first] = await until('two jobs to run', async () => {
      const jobs = await pretraining('running');
      return jobs.length === 2 && jobs;
    });
    await engine.call('jobs.pauseQueue', { paused: true });
    await engine.call('jobs.pause', { id: first!.id });
    await until('the pause', async () => (await pretraining('paused')).length === 1);
    await until('use of the machine', async () => (await engine.call('jobs.usage', {})).samples.length > 1);
    const { page, context, faults } = await openPage(lab.browser, engine.address);
    const found: string[] = [];
    for (const path of ['/jobs', `/jobs/${first!.id}`]) {
      await page.goto(`${engine.origin}${path}`);
      await page.getByRole('button', { name: 'Resume queue' }).waitFor();
      await page.locator('section.figure [role=img] svg').first().waitFor({ state: 'attached' });
      found.push(...(await inEveryLook(page, path)));
    }
    expect(found).toEqual([]);
    expect(faults).toEqual([]);
    await context.close();
    await engine.call('studies.cancel', { id: study.id });
    await engine.call('jobs.pauseQueue', { paused: false });
  }, 120_000);

  test(
    'filled pages and dialogs',
    async () => {
      const { engine } = lab;
      const study = await engine.call('studies.openSample', {});
      const checkpoints = await engine.call('checkpoints.list', {});
      const [a, b] = checkpoints.map(({ id }) => id) as [string, string];
      const comparison = await engine.call('spectra.start', { referenceId: a, targetIds: [b] });
      const sweep = await engine.call('sweeps.start', { name: 'Sweep', pairs: [{ targetId: b, referenceId: a }], settings: { sweep: { kind: 'reversion', controls: { scrambled: 1, rotation: 0, noise: 0 } }, task: { evaluationEpisodes: 8 } } }); // prettier-ignore
      for (const { id } of [comparison, sweep])
        await until(
          'the job to end',
          async () => (await engine.call('jobs.get', { id })).state === 'succeeded',
          preparedMs,
        );

      const { page, context, faults } = await openPage(lab.browser, engine.address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const found: string[] = [];
      const paths = [
        ...pages.map(({ path }) => path),
        `/studies/new`,
        `/studies/${study.id}`,
        `/studies/compare?a=${study.id}&b=${study.id}`,
        '/settings',
        `/jobs/${sweep.id}`,
        `/checkpoints/${a}`,
        `/checkpoints/compare?a=${a}&b=${b}`,
        `/spectrum/${comparison.id}`,
        `/ablations/new`,
        `/ablations/${sweep.id}`,
      ];
      for (const path of paths) {
        await page.goto(`${engine.origin}${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForTimeout(600); // charts draw when they are seen
        found.push(...(await inEveryLook(page, path)));
      }
      for (const key of ['F1', '?', 'Control+k']) {
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        found.push(...(await inEveryLook(page, `dialog of ${key}`)));
        await page.keyboard.press('Escape');
      }
      expect(found).toEqual([]);
      expect(faults).toEqual([]);
      await context.close();
    },
    preparedMs + 240_000,
  );
});
