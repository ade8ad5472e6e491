/** The two figures of hidden states, for the Study page and for the gallery. */
import type { HiddenStatesAnswer } from '../../stores/hiddenStates.ts';
import type { NamedFigure } from '../../figures/figure.ts';
import { hiddenStates, shownPrompts, type StatesView } from './charts/hiddenStates.ts';
import { stateDistances } from './charts/stateDistances.ts';

/** Prompts of each split that are asked for. */
export const statePrompts = 300;

/** Null while there is no result. */
export const statesView = (answer: HiddenStatesAnswer | undefined): StatesView | null =>
  answer?.result ? { checkpoints: answer.checkpoints, result: answer.result } : null;

/**
 * @param from index of the checkpoint that distances are measured from
 * @param seedNote which seed it is, where there are several
 */
export function stateFigures(
  view: StatesView | null,
  from: number,
  seedNote: string,
): { states: NamedFigure; distances: NamedFigure } {
  const drawn = view === null ? statePrompts : shownPrompts(view);
  const part = view !== null && drawn < view.result.prompts ? ` The first ${drawn} prompts of each are drawn.` : '';
  return {
    states: {
      name: 'hiddenStates',
      title: 'Hidden states of the last prompt token',
      paper: '15',
      note: `State of each prompt's last token after the final norm. The panels of a split share one basis: two principal components of all its states together. Large: centroid; hollow: those of the other checkpoints.${part}${seedNote}`,
      empty: `Computed on request: each checkpoint reads ${statePrompts} ID and ${statePrompts} OOD prompts, which takes seconds for the miniature.`,
      build: (frame) => hiddenStates(view, frame),
    },
    distances: {
      name: 'stateDistances',
      title: 'Distances of the hidden states',
      note: `In all ${view?.result.hiddenSize ?? ''} dimensions, without what a mean of so many prompts is off by. Whiskers: 95 % bootstrap over prompts.${seedNote}`,
      empty: 'Appears with the hidden states.',
      build: (frame) => stateDistances(view, from, frame),
    },
  };
}
