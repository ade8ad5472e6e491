/** The same settings, the same text: keys in order, so that equal requests are found whatever wrote them. */
import { createHash } from 'node:crypto';
import { countedTask, type StudySettings } from '../contract/settings.ts';

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item)]));
}

/** What a number of the study can depend on: not its name, what stays on the disk, or settings of the other kind of start. */
function whatCounts({ name: _, disk, ...settings }: StudySettings): object {
  const { base, model, pretrain, ...rest } = settings;
  const { text: textRl, ...rl } = rest.rl;
  if (base !== null) {
    const { starts, controlArms } = rl;
    const counted = { ...rest, rl: { starts, controlArms, text: textRl }, base: base.contentHash ?? base.folder };
    // What RL starts from is what SFT has saved. Hashes are older than this setting.
    return disk.dtype === 'same' ? counted : { ...counted, savedDtype: disk.dtype };
  }
  // Hashes of studies that pretrain their base are older than these settings.
  const { text: __, ...sft } = rest.sft;
  return { ...rest, model, pretrain, task: countedTask(rest.task), sft, rl };
}

/** SHA-256 over everything that can change a number. */
export function settingsHash(settings: StudySettings): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(whatCounts(settings))))
    .digest('hex');
}
