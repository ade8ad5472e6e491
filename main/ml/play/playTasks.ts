/** Every question that a person can put to a checkpoint. To add one: what `PlayTask` asks for, and a line here. */
import { AppError } from '../../contract/errors.ts';
import { generalPoints3 } from '../tasks/generalPoints3.ts';
import { navigation3 } from '../tasks/navigation3.ts';
import { freeText } from './freeText.ts';
import { generalPoints3Question } from './generalPoints3Question.ts';
import { generalPointsQuestion } from './generalPointsQuestion.ts';
import { determinantQuestion, rankQuestion } from './matrixQuestions.ts';
import { navigation3Question } from './navigation3Question.ts';
import { navigationQuestion } from './navigationQuestion.ts';
import type { PlayTask } from './playTask.ts';
import { textPlay } from './textPlay.ts';
import { tokenPlay } from './tokenPlay.ts';

export const playTasks: PlayTask[] = [
  tokenPlay(generalPoints3(), generalPoints3Question),
  tokenPlay(navigation3(), navigation3Question),
  textPlay(generalPointsQuestion),
  textPlay(navigationQuestion),
  textPlay(determinantQuestion),
  textPlay(rankQuestion),
  freeText,
];

/** @throws NOT_FOUND */
export function playTask(name: string): PlayTask {
  const task = playTasks.find((one) => one.name === name);
  if (task === undefined) throw new AppError('NOT_FOUND', `There is no task "${name}" to ask.`, { hint: 'Reload.' });
  return task;
}
