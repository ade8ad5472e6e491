/** Studies cut down for tests: real job kinds, little work. */
import type { StudySettingsInput } from '../../main/contract/settings.ts';

/** Runs for minutes, so that something can be seen running, cancelled, interrupted. */
export const settingsOfLongStudy: StudySettingsInput = { name: 'Long study' };
