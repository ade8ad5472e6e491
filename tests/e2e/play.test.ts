/** A hand typed by a person: one checkpoint answers, then two the same; the engine keeps a process for it and no job. */
import { expect, test } from 'vitest';
import { narrow, openPage } from './browser.ts';
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
    await page.getByLabel('Cards').fill('J 5 2');
    await page.getByLabel('Target').fill('17');
    const ask = page.getByRole('button', { name: 'Ask', exact: true });
    await ask.click();
    // Cancelled while the model is loaded, and asked again.
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByText('Answering.').waitFor({ state: 'hidden' });
    expect(await page.getByRole('list', { name: 'Answer, token by token' }).count()).toBe(0);
    const startMs = Date.now();
    await page.getByLabel('Target').press('Enter');
    const tokens = page.getByRole('list', { name: 'Answer, token by token' }).getByRole('button');
    await tokens.first().waitFor();
    console.log(`First answer after ${Date.now() - startMs} ms`);
    await page.getByText('<bos> RA 17 J 5 2 <sep>').waitFor();
    expect(await tokens.last().innerText()).toContain('<eos>');
    await tokens.first().focus();
    await page.keyboard.press('Tab');
    await page.getByText('At token 2, part of the').waitFor();
    const againMs = Date.now();
    await page.getByLabel('OOD: J, Q and K').check();
    await page.getByText('<bos> RB 17 J 5 2 <sep>').waitFor();
    console.log(`The other rule after ${Date.now() - againMs} ms`);
    // The engine's own answer, by the same call.
    const question = { task: 'generalPoints3', split: 'ood', inputs: { cards: 'J 5 2', target: '17' } } as const;
    const answer = await lab.engine.call('play.ask', { ...question, checkpointId: peak.id });
    expect(await tokens.count()).toBe(answer.tokens.length);
    for (const { text, probability, alternatives } of answer.tokens) {
      expect(alternatives[0]).toEqual({ text, probability });
      expect(alternatives.reduce((sum, one) => sum + one.probability, 0)).toBeLessThanOrEqual(1 + 1e-5);
    }
    await picture('play-light');
    await page.reload();
    expect(await page.getByLabel('Cards').inputValue()).toBe('J 5 2');
    expect(await page.getByLabel('OOD: J, Q and K').isChecked()).toBe(true);
    await page.getByLabel('Cards').fill('J 5');
    await ask.click();
    await page.getByText('These are not three cards.').waitFor();
    // Comparing reads the weights by a job; asking takes none.
    expect(await lab.engine.call('jobs.list', {})).toHaveLength(jobsBefore);
    await page.goto(`${lab.engine.origin}/checkpoints/compare?a=${peak.id}&b=${end.id}`);
    await page.getByRole('button', { name: 'Random question' }).click();
    await page.getByRole('heading', { name: end.name }).waitFor();
    expect(await page.getByText('It reads').count()).toBe(2);
    expect(page.url()).toContain(`a=${peak.id}&b=${end.id}`);
    await picture('play-two-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await page.getByText('It reads').first().scrollIntoViewIfNeeded();
    await picture('play-two-dark-narrow');
    expect(faults).toEqual([]);
    await context.close();
  });
});
