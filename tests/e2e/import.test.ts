/** Bringing a checkpoint: looked at first, listed with its facts after; bad files with their reason. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { narrow, openPage } from './browser.ts';
import { copyOfFixture, temporaryFolder } from './engineUnderTest.ts';
import { startLab } from './lab.ts';
import { chromium, describeWith } from './parts.ts';

describeWith([chromium], 'Import in Chromium', () => {
  const models = temporaryFolder('models');
  const lab = startLab();
  afterAll(() => models.remove());

  test('a folder by its path: offered, imported, listed with architecture, size and tensors', async () => {
    const folder = copyOfFixture('tiny-llama', models.folder);
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByLabel(/Path of a checkpoint/).fill(folder);
    await page.getByRole('button', { name: 'Look' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/LlamaForCausalLM .* parameters .* tensors/).waitFor();
    await picture('import-offer-light');
    expect(await lab.engine.call('checkpoints.list', {})).toEqual([]); // Nothing before the user agrees.
    await dialog.getByRole('button', { name: 'Import 1 checkpoint' }).click();
    await dialog.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('heading', { name: 'tiny-llama', exact: true }).waitFor();
    const facts = await page.locator('dl').innerText();
    expect(facts).toContain('LlamaForCausalLM');
    expect(facts).toMatch(/\d+(\.\d+)? [kM]B/);
    await page.getByRole('cell', { name: 'model.embed_tokens.weight' }).waitFor();
    await page.getByLabel('Filter tensors').fill('q_proj');
    await page.getByRole('cell', { name: 'model.layers.0.self_attn.q_proj.weight' }).waitFor();
    expect(await page.getByRole('cell', { name: 'model.embed_tokens.weight' }).count()).toBe(0);
    await picture('checkpoint-light');
    await page.waitForTimeout(700); // Choices are written once they have settled.
    await page.reload();
    await page.getByRole('heading', { name: 'tiny-llama', exact: true }).waitFor();
    expect(await page.getByLabel('Filter tensors').inputValue()).toBe('q_proj');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('checkpoint-dark');
    await page.goto(`${lab.engine.origin}/checkpoints`);
    await page.getByRole('link', { name: 'tiny-llama' }).first().waitFor();
    await picture('checkpoints-dark');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('good and bad together: every bad one with its reason, the good ones still go in', async () => {
    copyOfFixture('tiny-qwen2', models.folder);
    copyOfFixture('malformed', models.folder);
    const paths = ['tiny-qwen2', 'malformed/len_max.safetensors', 'malformed/json_broken.safetensors', 'nowhere'].map(
      (name) => join(models.folder, name),
    );
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const verdicts = await lab.engine.call('checkpoints.preview', { paths });
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['accepted', 'rejected', 'rejected', 'rejected']);
    // A browser gives one path at a time; the texts are the engine's own.
    for (const [index, path] of paths.slice(1).entries()) {
      await page.getByLabel(/Path of a checkpoint/).fill(path);
      await page.getByRole('button', { name: 'Look' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(verdicts[index + 1]!.text).waitFor();
      await dialog.getByText(verdicts[index + 1]!.code).waitFor();
      if (index === 0) await picture('import-refused-light');
      expect(await dialog.getByRole('button', { name: /^Import/ }).count()).toBe(0);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
    }
    const imported = await lab.engine.call('checkpoints.import', { paths });
    expect(imported.map(({ verdict }) => verdict)).toEqual(['accepted', 'rejected', 'rejected', 'rejected']);
    await page.getByRole('link', { name: 'Checkpoints' }).click();
    await page.getByRole('link', { name: 'tiny-qwen2' }).first().waitFor(); // Pushed by the engine, without a reload.
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a folder of runs: what it holds in one line, and Enter imports it; closed while it looks, it stays closed', async () => {
    const run = join(models.folder, 'sft-run');
    for (const step of [100, 200, 300]) cpSync(join(repositoryFolder, 'tests/fixtures/tiny-llama-base'), join(run, `checkpoint-${step}`), { recursive: true }); // prettier-ignore
    cpSync(join(repositoryFolder, 'tests/fixtures/malformed/json_broken.safetensors'), join(run, 'broken.safetensors'));
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    const look = async (): Promise<void> => {
      await page.getByLabel(/Path of a checkpoint/).fill(run);
      await page.getByLabel(/Path of a checkpoint/).press('Enter');
    };
    await look();
    await page.getByRole('heading', { name: /^Import 3 checkpoints, .* [kM]B, Llama, steps 100-300$/ }).waitFor();
    await page.getByText('1 path has a problem and is left out.').waitFor();
    await picture('import-run-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(narrow);
    await picture('import-run-dark-narrow');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await look();
    await page.getByRole('heading', { name: /^(Looking at the files|Import 3)/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.waitForTimeout(1000);
    expect(await page.getByRole('dialog').count()).toBe(0);
    await look();
    const button = page.getByRole('button', { name: 'Import 3 checkpoints' });
    await button.waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Imported 3 checkpoints' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/checkpoints/);
    await page.getByRole('link', { name: 'sft-run/checkpoint-300' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('dropped files, whose path a browser hides, lead to a place to type it', async () => {
    const { page, context, faults, picture } = await openPage(lab.browser, lab.engine.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(['x'], 'model.safetensors'));
      return data;
    });
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
    await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
    await picture('drop-target-light');
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
    const dialog = page.getByRole('dialog');
    await dialog.getByText('model.safetensors').waitFor();
    await dialog.getByLabel(/Path of a checkpoint/).fill(join(models.folder, 'tiny-llama'));
    await dialog.getByRole('button', { name: 'Look' }).click();
    await page.getByRole('heading', { name: /^Import 1 checkpoint, .* kB, Llama$/ }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
