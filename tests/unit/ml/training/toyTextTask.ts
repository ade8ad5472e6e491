/** A task in text that a random model solves now and then: an answer is right when it has the letter that is asked for. */
import type { Philox } from '../../../../main/ml/random/philox.ts';
import { revisionDialogue } from '../../../../main/ml/tasks/revisionDialogue.ts';
import type { Message, TextEpisode, TextTask, TextVerdict } from '../../../../main/ml/tasks/textTask.ts';

interface ToyProblem {
  number: number;
}

export interface ToyOptions {
  letter?: string;
  rewards?: { correct: number; wrong: number };
}

export function toyTextTask({
  letter = 'a',
  rewards = { correct: 1, wrong: -1 },
}: ToyOptions = {}): TextTask<ToyProblem> {
  const promptOf = ({ number }: ToyProblem): Message[] => [{ role: 'user', content: `Go ${number}` }];
  const verify = (_: TextEpisode<ToyProblem>, answer: string): TextVerdict => {
    const correct = answer.includes(letter);
    return {
      ...{ verdict: correct ? 'CORRECT_SOLUTION' : 'NO_SOLUTION', reason: correct ? 'ok' : 'no_letter' },
      ...{ fault: correct ? '' : 'no.', reward: correct ? rewards.correct : rewards.wrong, correct, reading: 'none' },
      ...{ formatOk: true, cardOk: true, numberOk: correct, formulaOk: correct, ruleSlip: false },
    };
  };
  const episode = (split: 'inDist' | 'ood', random: Philox): TextEpisode<ToyProblem> => {
    const number = random.int(10);
    return { task: 'toy', split, keys: { multiset: String(number), ordered: String(number) }, problem: { number } };
  };
  return {
    name: 'rank',
    stepLabels: { format: 'format', card: 'card', number: 'number', formula: 'formula' },
    feedbackAttempts: 3,
    hasRule: false,
    heldOutEpisodes: () => [],
    matchedEpisodes: () => ({ inDist: [], ood: [] }),
    trainingEpisode: episode,
    examples: ({ problem }) => {
      const text = `{"formula": ${letter}}`;
      return [{ prompt: promptOf(problem), answer: { text, spans: [], forcedChars: 12 } }];
    },
    rightEndings: () => [],
    verify,
    open: (one, dialogue) =>
      revisionDialogue(
        { prompt: promptOf(one.problem), verify: (answer) => verify(one, answer), stepLimitReward: -0.5 },
        dialogue,
      ),
    keysOfPrompt: () => null,
  };
}
