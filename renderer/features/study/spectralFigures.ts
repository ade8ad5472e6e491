/** The figures of what a study's stage "Decompose and compare" left, of one seed, as the pickers choose them. */
import type { Comparison, MatrixComparison } from '../../../main/contract/studyResult.ts';
import type { NamedFigure } from '../../figures/figure.ts';
import { decimal, percent } from '../../figures/quantities.ts';
import { anglesFromBase, attentionDeltaSigma } from './charts/attentionSpectra.ts';
import { layerHeatmap, quantities } from './charts/layerHeatmap.ts';
import { checkpointLabels } from './charts/reversionRows.ts';
import { spectrum } from './charts/spectrum.ts';

/** What was chosen, as it is remembered; what a study does not have is replaced by its first. */
export interface SpectralChoice {
  spectrumPair: string;
  spectrumMatrix: string;
  spectrumLayer: number;
  heatmapQuantity: string;
}

export const pairKey = ({ reference, target }: Comparison): string => `${reference}-${target}`;
export const pairLabel = ({ reference, target }: Comparison): string =>
  `${checkpointLabels[reference]} → ${checkpointLabels[target]}`;

export function chosenPair(list: Comparison[], { spectrumPair }: SpectralChoice): Comparison | null {
  return list.find((one) => pairKey(one) === spectrumPair) ?? list[0] ?? null;
}

function chosenMatrix(pair: Comparison | null, choice: SpectralChoice): MatrixComparison | null {
  const matrices = pair?.matrices ?? [];
  const same = matrices.filter((one) => one.matrix === choice.spectrumMatrix);
  return same.find(({ layer }) => layer === choice.spectrumLayer) ?? same[0] ?? matrices[0] ?? null;
}

function factsOf(one: MatrixComparison): string {
  const share = `${percent(one.valueEnergyShare, 2)} of the change lies in the singular values (a random update: ${percent(one.valueEnergyNull, 2)})`;
  return `${one.weight}, ${one.shape.join(' x ')}: changed by ${percent(one.relativeChange, 2)}; ${share}; smallest relative gap between singular values ${decimal(one.smallestRelativeGap)}.`;
}

/** @param seedNote which seed, where the study has several */
export function spectralFigures(list: Comparison[], choice: SpectralChoice, seedNote: string): NamedFigure[] {
  const pair = chosenPair(list, choice);
  const matrix = chosenMatrix(pair, choice);
  const quantity = quantities[choice.heatmapQuantity] ?? quantities.relativeChange!;
  const empty = 'Appears when the stage "Decompose and compare" is done.';
  const of = pair === null ? '' : `: ${pairLabel(pair)}`;
  return [
    {
      name: 'heatmap',
      title: `Where two checkpoints differ${of}`,
      note: `Each cell is one weight matrix. Angles are divided by those of random subspaces of the same size.${seedNote}`,
      empty,
      build: (frame) => (pair === null ? null : layerHeatmap(pair, quantity, frame)),
    },
    {
      name: 'spectrum',
      title: `Delta sigma and principal angles of one matrix${of}`,
      paper: '13, 14',
      note: `Measured values coincide with the null where the change is indistinguishable from a random one. ${matrix === null ? '' : factsOf(matrix)}${seedNote}`,
      empty,
      build: (frame) => (matrix === null ? null : spectrum(matrix, frame)),
    },
    {
      name: 'attentionDeltaSigma',
      title: `Delta sigma of q, k and v${of}`,
      paper: '13',
      note: `One layer's attention matrices, index by index, beside the change that a random update of the same norm makes.${seedNote}`,
      empty,
      build: (frame) => (pair === null || matrix === null ? null : attentionDeltaSigma(pair, matrix.layer, frame)),
    },
    {
      name: 'anglesFromBase',
      title: 'Principal angles: the base against SFT_End and against RL_End',
      paper: '14',
      note: `Leading half of the singular vectors. The published curves coincide with those of unrelated random subspaces; here the null is drawn beside them.${seedNote}`,
      empty,
      build: (frame) => (matrix === null ? null : anglesFromBase(list, matrix.layer, matrix.matrix, frame)),
    },
  ];
}
