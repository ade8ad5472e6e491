/** The text tasks by name. A further one is a file that implements `TextTask`, a name in textTask.ts and a line here. */
import { type GeneralPointsOptions, generalPoints } from './generalPoints/generalPoints.ts';
import { determinant } from './matrices/determinant.ts';
import type { MatrixTaskOptions } from './matrices/matrixTask.ts';
import { rank } from './matrices/rank.ts';
import { type NavigationOptions, navigation } from './navigation/navigation.ts';
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
