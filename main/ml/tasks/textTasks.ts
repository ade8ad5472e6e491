/** The text tasks by name. A further one is a file that implements `TextTask`, a name in textTask.ts and a line here. */
import { readFile } from 'node:fs/promises';
import { AppError } from '../../contract/errors.ts';
import { isTextTask, type TaskSettings } from '../../contract/settings.ts';
import { type GeneralPointsOptions, generalPoints } from './generalPoints/generalPoints.ts';
import { determinant } from './matrices/determinant.ts';
import type { MatrixTaskOptions } from './matrices/matrixTask.ts';
import { rank } from './matrices/rank.ts';
import { type NavigationOptions, navigation } from './navigation/navigation.ts';
import { parseRouteFile } from './navigation/routeFile.ts';
import type { TextTask } from './textTask.ts';

export type TextTaskOptions =
  | ({ name: 'generalPoints' } & GeneralPointsOptions)
  | ({ name: 'navigation' } & NavigationOptions)
  | ({ name: 'determinant' | 'rank' } & MatrixTaskOptions);

export function openTextTask(settings: TextTaskOptions): TextTask {
  switch (settings.name) {
    case 'generalPoints':
      return generalPoints(settings);
    case 'navigation':
      return navigation(settings);
    case 'determinant':
      return determinant(settings);
    case 'rank':
      return rank(settings);
  }
}

/**
 * The task that the settings of a study name.
 * @throws INVALID_REQUEST a file of routes that cannot be used; NOT_FOUND it is not there
 */
export async function textTaskOf({ name, testShare, text }: TaskSettings): Promise<TextTask> {
  if (!isTextTask(name)) throw new TypeError(`The task ${name} is not asked in text.`);
  const { target, answerStyle, routesFile } = text;
  if (name !== 'navigation' || routesFile === null) return openTextTask({ name, testShare, target, answerStyle });
  return openTextTask({ name, testShare, answerStyle, routes: parseRouteFile(await routesText(routesFile)) });
}

async function routesText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('NOT_FOUND', `The file of routes ${path} cannot be read.`, {
      hint: 'Give its path on the machine of the engine, or leave it out for synthetic routes.',
      cause,
    });
  }
}
