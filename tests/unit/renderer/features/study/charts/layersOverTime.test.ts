import { describe, expect, it } from 'vitest';
import { layersOverTime } from '../../../../../../renderer/features/study/charts/layersOverTime.ts';
import { darkCharts, lightCharts } from '../../../../../../renderer/figures/palette.ts';
import { svgOf } from '../../../drawn.ts';

const values = (step: number): Record<string, number> => ({
  loss: 1,
  gradNormLayer0: 0.1 * step,
  gradNormLayer1: 0.2 * step,
  updateNormLayer0: 0.01,
  updateNormLayer1: 0.02,
  ...(step % 20 === 0
    ? { stableRankLayer0: 8, stableRankLayer1: 9, rotationRadLayer0: 0, rotationRadLayer1: 0.1 }
    : {}),
});
const scalars = new Map([['seed-1.sft', new Map([10, 20, 30, 40].map((step) => [step, values(step)]))]]);

describe('layers over time', () => {
  it.each([
    ['light, wide', { theme: lightCharts, widthPx: 1200 }],
    ['dark, narrow', { theme: darkCharts, widthPx: 320 }],
  ])('draws a curve a layer and quantity: %s', (_, frame) => {
    const figure = layersOverTime(scalars, 1, frame)!;
    expect((figure.option['series'] as unknown[]).length).toBe(8);
    const svg = svgOf(figure, frame.widthPx);
    for (const text of ['Gradient norm', 'Norm of the update', 'Stable rank', 'Rotation from the start'])
      expect(svg).toContain(text);
    expect(figure.table.rows).toContainEqual([1, 1, 'Gradient norm', 40, 8]);
    // Radians in the metrics, degrees in the figure.
    const rotation = figure.table.rows.find(
      ([, layer, quantity, step]) => layer === 1 && quantity === 'Rotation from the start' && step === 20,
    )!;
    expect(rotation[4]).toBeCloseTo(5.7296, 4);
  });

  it('is nothing for a seed without metrics, and leaves out what was not logged', () => {
    const frame = { theme: lightCharts, widthPx: 800 };
    expect(layersOverTime(scalars, 0, frame)).toBeNull();
    const short = new Map([['seed-1.sft', new Map([[10, values(10)]])]]);
    expect((layersOverTime(short, 1, frame)!.option['series'] as unknown[]).length).toBe(4);
  });
});
