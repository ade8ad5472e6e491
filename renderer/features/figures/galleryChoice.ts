/** What the pickers of the figures chose, as it is remembered, and what they begin with. */
import type { SpectralChoice } from '../study/spectralFigures.ts';

export interface GalleryChoice extends SpectralChoice {
  /** Of the heat maps of ablations. */
  gridQuantity: string;
}
export const firstChoice: GalleryChoice = {
  spectrumPair: 'base-end',
  spectrumMatrix: 'k',
  spectrumLayer: 0,
  heatmapQuantity: 'relativeChange',
  gridQuantity: 'ood',
};
