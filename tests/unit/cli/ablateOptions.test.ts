/** Options of `rotascope ablate` become the settings of a sweep, or a refusal. */
import { describe, expect, it } from 'vitest';
import {
  parseAlphas,
  parseAxes,
  parseControls,
  parseLayerChoice,
  parseRankChoice,
  parseReverts,
  sweepSettings,
} from '../../../main/cli/ablateOptions.ts';
import type { AblateOptions } from '../../../main/cli/ablateOptions.ts';
import { sweepSettingsSchema } from '../../../main/contract/sweeps.ts';

const plain: AblateOptions = {
  data: '',
  target: 'end',
  reference: 'peak',
  dose: true,
  ceiling: true,
  paperCompatible: false,
  pairing: 'index',
  float64: false,
  plan: false,
  json: false,
};

describe('what the options say', () => {
  it('layers, ranks, controls', () => {
    expect(parseLayerChoice('first:10,5')).toEqual({ layerMode: 'first', layerCounts: [10, 5] });
    expect(parseLayerChoice('each')).toEqual({ layerMode: 'each', layerCounts: null });
    expect(parseLayerChoice('set:0,3-5')).toEqual({ layerMode: 'set', layerCounts: [0, 3, 4, 5] });
    expect(parseRankChoice('band:64,256')).toEqual({ rankMode: 'band', rankCounts: [64, 256] });
    expect(parseControls('scrambled=3,noise')).toEqual({ scrambled: 3, rotation: 0, noise: 1 });
    expect(parseControls('none')).toEqual({ scrambled: 0, rotation: 0, noise: 0 });
    expect(parseReverts('vectors,values,vectors')).toEqual(['singularVectors', 'singularValues']);
    expect(parseAxes('ranks, grid')).toEqual(['ranks', 'grid']);
    expect(parseAlphas('0.25,-0.5')).toEqual([0.25, -0.5]);
  });

  it.each([
    () => parseLayerChoice('middle:3'),
    () => parseLayerChoice('first:'),
    () => parseLayerChoice('first:2.5'),
    () => parseRankChoice('top:-1'),
    () => parseControls('shuffled=3'),
    () => parseControls('noise=many'),
    () => parseReverts('vektors'),
    () => parseAxes('diagonal'),
    () => parseAlphas('0.5,,1'),
    () => parseAlphas('3'),
  ])('%s is refused', (parse) => expect(parse).toThrow());

  it("without any, the contract's defaults", () => {
    expect(sweepSettingsSchema.parse(sweepSettings(plain))).toEqual(
      sweepSettingsSchema.parse({ sweep: { kind: 'reversion' } }),
    );
  });

  it('a mixture has no axes, and a third checkpoint is for mixtures alone', () => {
    expect(sweepSettings({ ...plain, interpolate: [0.5], then: 'base' })).toMatchObject({
      sweep: { kind: 'interpolation', alphas: [0.5] },
    });
    for (const wrong of [{ interpolate: [0.5], axis: parseAxes('ranks') }, { then: 'base' }])
      expect(() => sweepSettings({ ...plain, ...wrong })).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});
