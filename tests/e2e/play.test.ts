/** A hand typed by a person: one checkpoint answers, then two the same; the engine keeps a process for it and no job. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inEveryLook } from './axe.ts';
import { narrow, openPage } from './browser.ts';
import { copyOfFixture } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

describeWith([chromium], 'Asking checkpoints in Chromium', () => {
  const lab = startLab();

  test('a hand is answered token by token, under either rule; the address brings it back', async () => {
    await lab.engine.call('studies.openSample', {});
    const checkpoints = await lab.engine.call('checkpoints.list', {});
    const peak = checkpoints.find(({ name }) => name.endsWith('step 20'))!;
    const end = checkpoints.find(({ name }) => name.endsWith('step 200'))!;
    const jobsBefore = (await lab.engine.call('jobs.list', {})).length;
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${lab.engine.origin}/checkpoints/${peak.id}`);
    await page.getByRole('textbox', { name: 'Cards' }).fill('J 5 2');
    await page.getByLabel('Target').fill('17');
    const ask = page.getByRole('button', { name: 'Ask', exact: true });
    await ask.click();
    // Cancelled while the model is loaded, and asked again.
    const panel = page.getByRole('region', { name: 'Ask this checkpoint' });
    await panel.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByText('Cancelled after 0 tokens.').waitFor();
    expect(await page.getByRole('list', { name: 'Answer, token by token' }).count()).toBe(0);
    const startMs = Date.now();
    await page.getByLabel('Target').press('Enter');
    const tokens = page.getByRole('list', { name: 'Answer, token by token' }).getByRole('button');
    await tokens.first().waitFor();
    console.log(`First answer after ${Date.now() - startMs} ms`);
    await page.getByText('<bos> RA 17 J 5 2 <sep>').waitFor();
    expect(await tokens.last().innerText()).toContain('<eos>');
    await tokens.first().focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText('At token 2, part of the').waitFor();
    const againMs = Date.now();
    await page.getByLabel('OOD: J, Q and K').check();
    await page.getByText('<bos> RB 17 J 5 2 <sep>').waitFor();
    console.log(`The other rule after ${Date.now() - againMs} ms`);
    // The engine's own answer, by the same call.
    const question = { task: 'generalPoints3', split: 'ood', inputs: { cards: 'J 5 2', target: '17' } } as const;
    const answer = await lab.engine.call('play.ask', { ...question, ask: 'test', checkpointId: peak.id });
    expect(await tokens.count()).toBe(answer.tokens.length);
    for (const { text, probability, alternatives } of answer.tokens) {
      expect(alternatives[0]).toEqual({ text, probability });
      expect(alternatives.reduce((sum, one) => sum + one.probability, 0)).toBeLessThanOrEqual(1 + 1e-5);
    }
    await picture('play-light');
    await page.reload();
    expect(await page.getByRole('textbox', { name: 'Cards' }).inputValue()).toBe('J 5 2');
    expect(await page.getByLabel('OOD: J, Q and K').isChecked()).toBe(true);
    await page.getByRole('textbox', { name: 'Cards' }).fill('J 5');
    await ask.click();
    await page.getByText('These are not three cards.').waitFor();
    // Comparing reads the weights by a job; asking takes none.
    expect(await lab.engine.call('jobs.list', {})).toHaveLength(jobsBefore);
    await page.goto(`${lab.engine.origin}/checkpoints/compare?a=${peak.id}&b=${end.id}`);
    await page.getByRole('button', { name: 'Random question' }).click();
    await page.getByRole('heading', { name: end.name }).waitFor();
    await page.getByText('It reads').nth(1).waitFor();
    expect(page.url()).toContain(`a=${peak.id}&b=${end.id}`);
    await picture('play-two-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await page.getByText('It reads').first().scrollIntoViewIfNeeded();
    await picture('play-two-dark-narrow');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a checkpoint in text: its tasks with their verdicts, free text as it comes, cancelled with what has come', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rotascope-play-'));
    const paths = ['tiny-qwen2', 'tiny-llama'].map((name) => copyOfFixture(name, folder));
    const verdicts = await lab.engine.call('checkpoints.import', { paths });
    const [a, b] = verdicts.map(({ checkpointId }) => checkpointId!);
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.goto(`${lab.engine.origin}/checkpoints/${a}`);
    const panel = page.getByRole('region', { name: 'Ask this checkpoint' });
    const task = panel.getByRole('combobox', { name: 'Task' });
    await panel.getByRole('textbox', { name: 'Cards' }).waitFor();
    expect(await task.locator('option').allInnerTexts()).toEqual(['GeneralPoints', 'Navigation', 'Determinant', 'Rank of a matrix', 'Free text']); // prettier-ignore
    await panel.getByRole('textbox', { name: 'Cards' }).fill('A 8 J K');
    await panel.getByLabel('Most tokens').fill('24');
    await panel.getByRole('button', { name: 'Ask', exact: true }).click();
    await panel.getByText('✕ Wrong').waitFor();
    await panel.getByText('The answer has no "formula" field').waitFor();
    await panel.getByText(/^It reads \d+ tokens; its configuration is for 256$/).click();
    await panel.getByText("Cards: ['A', '8', 'J', 'K']").waitFor();
    await picture('play-text-light');

    await task.selectOption('Free text');
    await panel.getByLabel('Prompt').fill('Say something.\nAnything.');
    // Greedily it goes on for a thousand tokens.
    await panel.getByLabel('Most tokens').fill('2048');
    await panel.getByLabel('Prompt').press('Control+Enter');
    // It is there before it is whole, and what has come stays.
    const tokens = panel.getByRole('list', { name: 'Answer, token by token' }).getByRole('button');
    await panel.getByText(/tokens? so far/).waitFor();
    await tokens.nth(5).waitFor();
    await panel.getByRole('button', { name: 'Cancel', exact: true }).click();
    await panel.getByText(/^Cancelled after \d+ tokens\.$/).waitFor();
    expect(await tokens.count()).toBeGreaterThan(5);
    await panel.getByLabel('Temperature').fill('1.5');
    await panel.getByLabel('Seed').fill('3');
    await page.waitForURL((url) => url.searchParams.get('seed') === '3');
    await page.reload();
    expect(await panel.getByLabel('Prompt').inputValue()).toBe('Say something.\nAnything.');
    expect(await panel.getByLabel('Seed').inputValue()).toBe('3');
    await panel.getByLabel('Most tokens').fill('60');
    await panel.getByRole('button', { name: 'Ask', exact: true }).click();
    await panel.getByText(/^\d+ tokens, (cut off at the most tokens|ended by the model)\.$/).waitFor();
    await tokens.first().focus();
    await page.keyboard.press('ArrowRight');
    await panel.getByText('At token 2: ').waitFor();
    await picture('play-free-light');

    await page.goto(`${lab.engine.origin}/checkpoints/compare?a=${a}&b=${b}&task=rank&most=40`);
    const both = page.getByRole('region', { name: 'Ask both the same' });
    await both.getByRole('button', { name: 'Random question' }).click();
    await both.getByText('It reads').nth(1).waitFor();
    await both.getByText(/^The answers part at token \d+\.$/).waitFor();
    for (const summary of ['It reads', 'A right answer']) await both.getByText(summary).first().click();
    expect(await inEveryLook(page, 'answers in text')).toEqual([]);
    await picture('play-text-two-dark-narrow');
    expect(faults).toEqual([]);
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
