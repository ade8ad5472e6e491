/**
 * Colours of the figures. Derived from Okabe & Ito (colour-blind safe), darkened or lightened until every mark has at
 * least 3:1 against its surface. A split, an arm, a named checkpoint keeps its colour in every figure.
 */
import type { RlArm } from '../../main/contract/settings.ts';

export type Arm = RlArm | 'interpolation';

export interface ChartTheme {
  name: 'light' | 'dark';
  ink: string;
  muted: string;
  rule: string;
  grid: string;
  surface: string;
  inDist: string;
  ood: string;
  train: string;
  /** SFT with the rotation penalty. */
  penalised: string;
  /** References and nulls: never a measured curve. */
  neutral: string;
  shade: string;
  arms: Record<Arm, string>;
  checkpoints: { base: string; peak: string; end: string; last: string };
  edits: { singularValues: string; singularVectors: string; both: string; interpolation: string };
  matrices: string[];
  /** Sequential, from little to much. */
  scale: string[];
  /** From below the neutral point to above it; the middle one is the neutral point. */
  diverging: string[];
}

export const lightCharts: ChartTheme = {
  name: 'light',
  ink: '#17212b',
  muted: '#51606e',
  rule: '#8a97a3',
  grid: '#e3e8ed',
  surface: '#ffffff',
  inDist: '#0072b2',
  ood: '#d55e00',
  train: '#5f6b76',
  penalised: '#7b6cc4',
  neutral: '#7b8894',
  shade: 'rgba(0, 128, 96, 0.10)',
  arms: { ppoAnchor: '#008a65', ppoPlain: '#a84a86', anchorOnly: '#9a7400', interpolation: '#2a7fb8' },
  checkpoints: { base: '#8a97a3', peak: '#17212b', end: '#6c7884', last: '#a3522a' },
  edits: { singularValues: '#0072b2', singularVectors: '#d55e00', both: '#17212b', interpolation: '#2a7fb8' },
  matrices: ['#0072b2', '#d55e00', '#008a65', '#a84a86', '#9a7400', '#5f6b76', '#17212b'],
  scale: ['#f2f6f9', '#bcd7ea', '#6ba9d0', '#1f77b0', '#0b4a78', '#062a47'],
  diverging: ['#0b4a78', '#3a8cc1', '#a9cfe6', '#f4f5f6', '#f5c6a0', '#d9772f', '#7c3606'],
};

export const darkCharts: ChartTheme = {
  name: 'dark',
  ink: '#e8edf2',
  muted: '#a9b6c2',
  rule: '#6f7d8a',
  grid: '#2b3640',
  surface: '#161d24',
  inDist: '#5ab4ea',
  ood: '#ff9450',
  train: '#a9b6c2',
  penalised: '#b3a6f0',
  neutral: '#8b98a5',
  shade: 'rgba(61, 204, 160, 0.13)',
  arms: { ppoAnchor: '#3dcca0', ppoPlain: '#e596c6', anchorOnly: '#e3c24a', interpolation: '#7cc0f0' },
  checkpoints: { base: '#8b98a5', peak: '#f4f7fa', end: '#9aa7b3', last: '#e08f63' },
  edits: { singularValues: '#5ab4ea', singularVectors: '#ff9450', both: '#f4f7fa', interpolation: '#7cc0f0' },
  matrices: ['#5ab4ea', '#ff9450', '#3dcca0', '#e596c6', '#e3c24a', '#a9b6c2', '#f4f7fa'],
  scale: ['#1c252e', '#1d4361', '#2669a0', '#4a97d3', '#93c8ee', '#e3f2fc'],
  diverging: ['#a9dafb', '#4a97d3', '#24557f', '#28313a', '#7a4a24', '#d98240', '#ffd2ab'],
};

export const chartTheme = (name: 'light' | 'dark'): ChartTheme => (name === 'dark' ? darkCharts : lightCharts);
