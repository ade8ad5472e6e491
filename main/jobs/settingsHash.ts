/** The same settings, the same text: keys in order, so that equal requests are found whatever wrote them. */
import { createHash } from 'node:crypto';
import type { StudySettings } from '../contract/settings.ts';

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item)]));
}

/** SHA-256 over everything that can change a number; the name is not part of it. */
export function settingsHash({ name: _, ...settings }: StudySettings): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(settings)))
    .digest('hex');
}
