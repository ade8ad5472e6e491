/** Settings: theme, how much of the machine, what the data folder holds; in two windows at a time. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { narrow, openPage } from './browser.ts';
import { temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

describeWith([chromium], 'Settings in Chromium', () => {
  const lab = startLab();

  test('are kept, refused when they are impossible, and the same in every window', async () => {
    const one = await openPage(lab.browser, lab.engine.address);
    const { page, picture } = one;
    await page.getByRole('link', { name: 'Settings' }).click();
    const side = page.getByLabel('Jobs side by side');
    await side.fill('0');
    await page.locator('.note.error').waitFor();
    const save = page.getByRole('button', { name: 'Save', exact: true });
    expect(await save.isDisabled()).toBe(true);
    const other = await openPage(lab.browser, lab.engine.address);
    await other.page.getByRole('heading', { level: 1 }).waitFor();
    await other.page.goto(`${lab.engine.origin}/settings`);
    await other.page.getByLabel('Jobs side by side').waitFor();
    await side.fill('3');
    await page.getByLabel('Decompositions kept, GB').fill('1.5');
    await save.click();
    await expect.poll(() => other.page.getByLabel('Jobs side by side').inputValue()).toBe('3');
    expect(await lab.engine.call('app.settings', {})).toEqual({ jobsSideBySide: 3, decompositionCacheGB: 1.5 });
    await page.reload();
    await expect.poll(() => page.getByLabel('Decompositions kept, GB').inputValue()).toBe('1.5');
    await page.getByLabel('Dark', { exact: true }).check();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    await picture('settings-dark');
    await page.setViewportSize(narrow);
    await picture('settings-dark-narrow');
    await page.getByLabel('Light', { exact: true }).check();
    await picture('settings-light-narrow');
    expect([...one.faults, ...other.faults]).toEqual([]);
    await one.context.close();
    await other.context.close();
  });

  test('the data folder is added up, and what can be computed again is removed', async () => {
    const folder = join(lab.engine.dataFolder, 'cache', 'decompositions');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'some.svd'), Buffer.alloc(3_000_000));
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${lab.engine.origin}/settings`);
    const row = page.getByRole('row').filter({ hasText: 'Kept decompositions' });
    await row.filter({ hasText: '3.0 MB' }).waitFor();
    await picture('settings-light');
    await row.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('3.0 MB were freed.').waitFor();
    await row.waitFor({ state: 'detached' });
    const { kinds } = await lab.engine.call('app.storage', {});
    expect(kinds.find(({ kind }) => kind === 'decompositions')).toMatchObject({ bytes: 0, files: 0 });
    expect(kinds.find(({ kind }) => kind === 'database')!.bytes).toBeGreaterThan(0);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a backup is made, looked into and put in place after a restart, and what it replaced can be removed', async () => {
    const outside = temporaryFolder('backup');
    const file = join(outside.folder, 'lab.zip');
    const study = await lab.engine.call('studies.openSample', {});
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${lab.engine.origin}/settings`);
    await page.getByLabel("File on the engine's machine").fill(file);
    await page.getByRole('button', { name: 'Back up' }).click();
    const backup = page.locator('form').filter({ has: page.getByRole('button', { name: 'Back up' }) });
    await backup.getByRole('status').getByText('done').waitFor();
    expect(existsSync(file)).toBe(true);
    await lab.engine.call('studies.remove', { id: study.id });
    await page.getByLabel("Backup on the engine's machine").fill(join(outside.folder, 'other.zip'));
    await page.getByRole('button', { name: 'Look into it' }).click();
    await page.getByText('other.zip is not there.').waitFor();
    await page.getByLabel("Backup on the engine's machine").fill(file);
    await page.getByRole('button', { name: 'Look into it' }).click();
    await page.getByText(/1 study, \d+ runs/).waitFor();
    await picture('settings-backup');
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await page.getByText('is unpacked and whole').waitFor();
    await picture('settings-restore');
    // What the engine closes when it starts again is said by the browser, not by the page.
    await page.getByRole('button', { name: 'Restart now' }).click();
    await page.getByText(/The backup of .* was restored/).waitFor();
    expect((await lab.engine.call('studies.list', {})).map(({ id }) => id)).toEqual([study.id]);
    const row = page.getByRole('row').filter({ hasText: 'Replaced data' });
    await row.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    expect(faults.filter((fault) => !fault.includes('WebSocket'))).toEqual([]);
    await context.close();
    outside.remove();
  });

  test('the data folder is moved: checked first, carried out by a restart, the same studies in the new place', async () => {
    const outside = temporaryFolder('moved');
    const to = join(outside.folder, 'place');
    const studies = await lab.engine.call('studies.list', {});
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${lab.engine.origin}/settings`);
    const field = page.getByLabel("New or empty folder on the engine's machine");
    await field.fill(join(lab.engine.dataFolder, 'inside'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('lie in each other').waitFor();
    await field.fill(to);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('on the same disk').waitFor();
    await picture('settings-move');
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByText(`The data go to ${to}`).waitFor();
    await page.getByRole('button', { name: 'Restart now' }).click();
    await page.locator('.place').filter({ hasText: to }).first().waitFor();
    expect((await lab.engine.call('app.state', {})).dataFolder).toBe(to);
    expect(await lab.engine.call('studies.list', {})).toEqual(studies);
    expect(faults.filter((fault) => !fault.includes('WebSocket'))).toEqual([]);
    await context.close();
    outside.remove();
  });
});
