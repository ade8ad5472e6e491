/**
 * RL of a checkpoint on a task in text: PPO as published for real models, or GRPO, on dialogues whose answers are the
 * actions. The signature; the loop follows.
 */
import { AppError } from '../../contract/errors.ts';
import type { RlArm, TextRlSettings } from '../../contract/settings.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import type { TextTask } from '../tasks/textTask.ts';
import type { TextModel } from '../text/textModel.ts';
import type { RunHooks } from './trainingRun.ts';

export interface TextRlRequest extends RunHooks {
  /** The model where the run starts, which is trained; a resumed run starts from it too. */
  text: TextModel;
  /** The frozen base of the KL terms, the caller's; null where `needsReference` says that none is read. */
  reference: LanguageModel | null;
  task: TextTask;
  settings: TextRlSettings;
  arm: RlArm;
  seed: number;
}

/** Whether a run of these settings reads the frozen base. */
export const needsReference = (settings: Pick<TextRlSettings, 'anchorCoef' | 'tokenKlCoef'>, arm: RlArm): boolean =>
  (arm !== 'ppoPlain' && settings.anchorCoef > 0) || (arm !== 'anchorOnly' && settings.tokenKlCoef > 0);

/** Trains the request's model. @throws INVALID_REQUEST | CANCELLED | NOT_FINITE | OUT_OF_MEMORY */
export async function trainTextRl(request: TextRlRequest): Promise<void> {
  await Promise.reject(new AppError('INVALID_REQUEST', `RL on ${request.task.name} is not there yet.`));
}
