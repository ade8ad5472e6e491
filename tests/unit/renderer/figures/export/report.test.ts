/** The report holds everything in one file that loads nothing, whatever a study is called. */
import { expect, it } from 'vitest';
import { studySettingsSchema } from '../../../../../main/contract/settings.ts';
import type { Study } from '../../../../../main/contract/api.ts';
import { defaultStyle } from '../../../../../renderer/figures/export/exportStyle.ts';
import { reportHtml } from '../../../../../renderer/figures/export/report.ts';
import { sampleFigures } from '../../exportSample.ts';
import { seedResult, studyResult } from '../../studySample.ts';

const name = 'A <script>alert(1)</script> & "B"';
const study: Study = {
  id: 's',
  name,
  settings: studySettingsSchema.parse({ name }),
  state: 'succeeded',
  sample: false,
  stages: [{ id: 'seed-0.sft', seed: 0, kind: 'sft', title: 'SFT on ID data', dependsOn: [], state: 'succeeded', jobId: null, alert: null }],
  createdAtMs: 0,
  endedAtMs: 1,
  revision: 1,
  progress: 1,
  remainingMs: null,
}; // prettier-ignore
const result = { ...studyResult([seedResult(0)]), words: ['OOD accuracy peaks at step 20 (p < 0.05).'] };
const source = {
  name,
  studyId: 's',
  provenance: () => ({ settingsHash: 'x', seeds: [0], checkpoints: [{ contentHash: 'feed' }] }),
};
const figures = sampleFigures().map((figure) => ({ figure, source }));
const html = reportHtml(study, result, figures, { ...defaultStyle, widthIn: 6.9 }, new Date(0));

it('has the words, every figure, their numbers, the settings and the provenance', () => {
  expect(html).toContain('OOD accuracy peaks at step 20 (p &lt; 0.05).');
  expect(html.match(/<svg /g)).toHaveLength(figures.length);
  for (const { figure } of figures) expect(html).toContain(`id="${figure.name}"`);
  expect(html).toContain('Corresponds to Figures 3, 10 of the paper.');
  for (const text of ['sft.learningRate', '0.0002', 'SFT on ID data', '&quot;contentHash&quot;: &quot;feed&quot;'])
    expect(html).toContain(text);
});

it('loads nothing and runs nothing', () => {
  expect(html).not.toMatch(/<script|<link|<img|<iframe|\bon\w+=|javascript:|@import/i);
  const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"|url\(([^)]*)\)/g)].map(([, a, b]) => a ?? b);
  for (const address of addresses) expect(address).toMatch(/^#/);
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
});

it('leaves out what has nothing to draw', () => {
  const empty = { figure: { ...figures[0]!.figure, name: 'nothing', build: () => null }, source };
  expect(reportHtml(study, result, [empty], defaultStyle, new Date(0))).not.toContain('id="nothing"');
});
