/** Every figure of the Study page is drawn by ECharts itself, in both themes, wide and narrow, for one and three seeds. */
import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../../../../../main/contract/studyResult.ts';
import { answerFacts } from '../../../../../../renderer/features/study/charts/answerFacts.ts';
import { accuracyCurve } from '../../../../../../renderer/features/study/charts/accuracyCurve.ts';
import { answerErrors } from '../../../../../../renderer/features/study/charts/answerErrors.ts';
import {
  anglesFromBase,
  attentionDeltaSigma,
} from '../../../../../../renderer/features/study/charts/attentionSpectra.ts';
import { endpointBars } from '../../../../../../renderer/features/study/charts/endpointBars.ts';
import { interpolation } from '../../../../../../renderer/features/study/charts/interpolation.ts';
import { layerHeatmap, quantities } from '../../../../../../renderer/features/study/charts/layerHeatmap.ts';
import { lossCurve } from '../../../../../../renderer/features/study/charts/lossCurve.ts';
import { passAtK } from '../../../../../../renderer/features/study/charts/passAtK.ts';
import { penaltyCurves } from '../../../../../../renderer/features/study/charts/penaltyCurves.ts';
import { reversions } from '../../../../../../renderer/features/study/charts/reversions.ts';
import { rlIterations } from '../../../../../../renderer/features/study/charts/rlIterations.ts';
import { rlStarts } from '../../../../../../renderer/features/study/charts/rlStarts.ts';
import { allSeeds, seedView, type SeedView } from '../../../../../../renderer/features/study/charts/seedView.ts';
import { singleStage } from '../../../../../../renderer/features/study/charts/singleStage.ts';
import { spectrum } from '../../../../../../renderer/features/study/charts/spectrum.ts';
import { startOffer } from '../../../../../../renderer/features/study/charts/startOffer.ts';
import { training } from '../../../../../../renderer/features/study/charts/training.ts';
import type { ChartFrame, Figure } from '../../../../../../renderer/figures/figure.ts';
import { darkCharts, lightCharts } from '../../../../../../renderer/figures/palette.ts';
import { svgOf } from '../../../drawn.ts';
import { matrixComparison, seedResult, studyResult, textSeedResult } from '../../../studySample.ts';

const scalars = new Map<string, Map<number, Record<string, number>>>([
  [
    'seed-0.rl-ppoAnchor-200',
    new Map([
      [1, { reward: 0.5, entropy: 0.1 }],
      [2, { reward: 0.6, entropy: 0.1 }],
    ]),
  ],
  ...[0, 1, 2].map(
    (seed) =>
      [
        `seed-${seed}.rl-ppoAnchor-0`,
        new Map([
          [1, { reward: -0.5, successRate: 0, policyLoss: 0.1, valueLoss: 0.2 }],
          [2, { reward: -0.4, successRate: 0, policyLoss: 0.1 + seed / 10, valueLoss: 0.1 }],
        ]),
      ] as const,
  ),
  ...[0, 1, 2].map(
    (seed) =>
      [
        `seed-${seed}.pretrain`,
        new Map([
          [5, { loss: 4.1, learningRate: 1e-4 }],
          [10, { loss: 3.2 - seed / 10, learningRate: 2e-4 }],
        ]),
      ] as const,
  ),
]);
const comparison: Comparison = { reference: 'base', target: 'end', matrices: [matrixComparison()] };

const builders: Record<string, (view: SeedView, frame: ChartFrame) => Figure | null> = {
  accuracyCurve,
  lossCurve,
  answerErrors,
  rlStarts,
  rlIterations: (view, frame) => rlIterations(view, scalars, frame),
  training: (view, frame) =>
    training(view.seeds.length === 0 ? new Map() : scalars, view.several ? allSeeds : 1, frame),
  singleStage: (view, frame) => singleStage(view, scalars, frame),
  endpointBars,
  penaltyCurves: ({ seeds, several }, frame) =>
    penaltyCurves({ seeds: seeds.map((seed) => ({ ...seed, penalisedSft: seed.sft })), several }, frame),
  startOffer,
  reversions: (view, frame) => reversions(view, 'sft', frame),
  interpolation,
  spectrum: (_view, frame) => spectrum(matrixComparison(), frame),
  layerHeatmap: (_view, frame) => layerHeatmap(comparison, quantities.relativeChange!, frame),
  attentionDeltaSigma: (_view, frame) => attentionDeltaSigma(comparison, 0, frame),
  anglesFromBase: (_view, frame) => anglesFromBase([comparison], 0, 'q', frame),
};
const texts = studyResult([0, 1, 2].map(textSeedResult));
const ofText: typeof builders = {
  answerFacts,
  passAtK,
  'accuracyCurve in text': accuracyCurve,
  'rlStarts in text': rlStarts,
  'endpointBars in text': endpointBars,
};
const ofView = Object.entries(builders).slice(0, 12);
const three = studyResult([0, 1, 2].map(seedResult));
const ofTokens = { 'one seed': seedView(three, 1), 'three seeds': seedView(three, allSeeds) };

const textViews = { 'one seed': seedView(texts, 1), 'three seeds': seedView(texts, allSeeds) };

describe.each([...Object.entries(builders), ...Object.entries(ofText)])('%s', (name, build) => {
  const views = name in ofText ? textViews : ofTokens;
  for (const [which, view] of Object.entries(views))
    for (const theme of [lightCharts, darkCharts])
      for (const widthPx of [1200, 560])
        it(`draws ${which}, ${theme.name}, ${widthPx} px`, () => {
          const figure = build(view, { theme, widthPx })!;
          const svg = svgOf(figure, widthPx);
          expect(svg).not.toMatch(/NaN|undefined|Infinity/);
          expect(svg).toContain('<path');
          expect(figure.heightPx).toBeGreaterThan(100);
          expect(figure.summary).not.toMatch(/NaN|undefined/);
        });

  it('has a table whose rows fill its columns', () => {
    const { table } = build(views['three seeds'], { theme: lightCharts, widthPx: 1200 })!;
    expect(table.rows.length).toBeGreaterThan(0);
    for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
    expect(JSON.stringify(table)).not.toContain('undefined');
  });
});

describe.each(ofView)('%s', (_name, build) => {
  it('is absent while there is nothing to draw', () => {
    expect(build({ seeds: [], several: false }, { theme: lightCharts, widthPx: 1200 })).toBeNull();
  });
  it('draws a study that has just begun', () => {
    const begun = { ...seedResult(0), sft: seedResult(0).sft.slice(0, 1), peakStep: null, rl: [], ablations: [] };
    const figure = build({ seeds: [begun], several: false }, { theme: lightCharts, widthPx: 1200 });
    if (figure !== null) expect(svgOf(figure)).not.toMatch(/NaN|undefined|Infinity/);
  });
});
