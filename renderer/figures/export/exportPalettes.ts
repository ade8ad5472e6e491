/**
 * Colours of exported figures. Okabe & Ito, "Color Universal Design" (2008), as published: told apart with the common
 * kinds of colour blindness; what stands beside each other is chosen so that it stays apart with each of them. `grey`: for print without colour; lines also differ by dashes and symbols (publication.ts).
 */
import { lightCharts, type ChartTheme } from '../palette.ts';

export const paletteNames = { okabeIto: 'Okabe-Ito', app: 'As on the screen', grey: 'Greys, dashes, symbols' };
export type PaletteName = keyof typeof paletteNames;

const okabeIto = {
  black: '#000000',
  orange: '#e69f00',
  sky: '#56b4e9',
  green: '#009e73',
  blue: '#0072b2',
  vermillion: '#d55e00',
  purple: '#cc79a7',
  /** Not one of the eight: references, never a measured curve. */
  grey: '#7f7f7f',
};

const paper = {
  ...lightCharts,
  ink: '#000000',
  muted: '#333333',
  rule: '#7f7f7f',
  grid: '#e4e4e4',
  neutral: okabeIto.grey,
};

const themes: Record<PaletteName, ChartTheme> = {
  app: lightCharts,
  okabeIto: {
    ...paper,
    inDist: okabeIto.blue,
    ood: okabeIto.vermillion,
    train: okabeIto.black,
    penalised: okabeIto.sky,
    shade: 'rgba(0, 158, 115, 0.12)',
    arms: {
      ppoAnchor: okabeIto.green,
      ppoPlain: okabeIto.black,
      anchorOnly: okabeIto.orange,
      interpolation: okabeIto.sky,
    },
    checkpoints: { base: '#999999', peak: okabeIto.black, end: okabeIto.grey, last: okabeIto.vermillion },
    edits: {
      singularValues: okabeIto.blue,
      singularVectors: okabeIto.vermillion,
      both: okabeIto.black,
      interpolation: okabeIto.sky,
    },
    matrices: [
      okabeIto.blue,
      okabeIto.vermillion,
      okabeIto.green,
      okabeIto.purple,
      okabeIto.orange,
      okabeIto.sky,
      okabeIto.black,
    ],
  },
  grey: {
    ...paper,
    inDist: '#000000',
    ood: '#6e6e6e',
    train: '#3f3f3f',
    penalised: '#9a9a9a',
    neutral: '#a6a6a6',
    shade: 'rgba(0, 0, 0, 0.07)',
    arms: { ppoAnchor: '#000000', ppoPlain: '#6e6e6e', anchorOnly: '#9a9a9a', interpolation: '#3f3f3f' },
    checkpoints: { base: '#a6a6a6', peak: '#000000', end: '#6e6e6e', last: '#9a9a9a' },
    edits: { singularValues: '#000000', singularVectors: '#6e6e6e', both: '#3f3f3f', interpolation: '#9a9a9a' },
    matrices: ['#000000', '#6e6e6e', '#9a9a9a', '#3f3f3f', '#555555', '#828282', '#b0b0b0'],
    scale: ['#f5f5f5', '#d9d9d9', '#b0b0b0', '#808080', '#484848', '#101010'],
    diverging: ['#101010', '#585858', '#b0b0b0', '#f5f5f5', '#c8c8c8', '#787878', '#303030'],
  },
};

export const exportTheme = (name: PaletteName): ChartTheme => themes[name];
