/** Where a job keeps the answers of its evaluations in text. */
import { join } from 'node:path';

export const samplesFolder = (jobFolder: string): string => join(jobFolder, 'samples');
