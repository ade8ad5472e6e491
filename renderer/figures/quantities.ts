/** Numbers as text, with their units: the same everywhere, in charts, tables and words. */
import { wilsonInterval } from '../../main/contract/wilson.ts';

/** 0.1234 -> "12.3 %". */
export function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–';
}

/** A difference of shares: 0.0167 -> "+1.7 points". */
export function points(difference: number): string {
  const text = (100 * difference).toFixed(1);
  return `${Number(text) > 0 ? `+${text}` : text.replace(/^-0\.0$/, '0.0')} points`;
}

/** A planned number, three significant digits: 13424 -> "about 13,400". */
export function aboutCount(count: number): string {
  if (count < 1000) return String(count);
  const step = 10 ** (Math.floor(Math.log10(count)) - 2);
  return `about ${(step * Math.round(count / step)).toLocaleString('en')}`;
}

/** "33.0 % (95 % CI 29.3–36.9), 198 of 600". */
export function percentWithInterval(correct: number, n: number): string {
  if (n === 0) return 'no episodes';
  const [low, high] = wilsonInterval(correct, n);
  return `${percent(correct / n)} (95 % CI ${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}), ${correct} of ${n}`;
}

/** Four significant digits at most, no exponent for everyday sizes. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Decimal units, as disks are sold: 1234567 -> "1.2 MB". */
export function bytes(count: number): string {
  let unit = 0;
  let size = count;
  while (size >= 1000 && unit < byteUnits.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${byteUnits[unit]}`;
}

/** 1234567 -> "1.2 M". */
export function parameterCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} B`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  if (count >= 1e3) return `${(count / 1e3).toFixed(1)} k`;
  return String(count);
}

/** "45 s", "3 min 20 s", "2 h 05 min". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** An estimate, as exact as it can be: "about 20 s", "about 4 min", "about 35 min", "about 2 h 10 min", "about 14 h". */
export function about(ms: number): string {
  const [seconds, minutes] = [Math.max(0, ms / 1000), Math.max(0, ms / 60_000)];
  if (seconds < 55) return `about ${Math.max(10, 10 * Math.ceil(seconds / 10))} s`;
  if (minutes < 19.5) return `about ${Math.max(1, Math.round(minutes))} min`;
  if (minutes < 57.5) return `about ${5 * Math.round(minutes / 5)} min`;
  if (minutes < 595) {
    const tens = 10 * Math.round(minutes / 10);
    const rest = tens % 60;
    return `about ${Math.floor(tens / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
  }
  return `about ${Math.round(minutes / 60)} h`;
}

// Made once: making one takes longer than writing a hundred dates, and tables write two a row.
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** Absolute local time, to the second, for hovers. */
export const absoluteTime = (timeMs: number): string => dateAndTime.format(timeMs);

/** "just now", "12 min ago", "3 h ago", then the date. */
export function relativeTime(timeMs: number, nowMs: number): string {
  const elapsedMs = nowMs - timeMs;
  if (elapsedMs < 60_000) return 'just now';
  if (elapsedMs < 3_600_000) return `${Math.floor(elapsedMs / 60_000)} min ago`;
  if (elapsedMs < 86_400_000) return `${Math.floor(elapsedMs / 3_600_000)} h ago`;
  return dateOnly.format(timeMs);
}

export const degrees = (rad: number): number => (rad * 180) / Math.PI;
