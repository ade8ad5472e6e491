/**
 * The fields of an answer: strictly, when the whole text is one JSON object, else leniently, by the first match of each
 * field in the text. The published answers end with a trailing comma and write cards without quotes, so that strict JSON
 * fails on them. Which reading it was is recorded.
 *
 * Bounds: text beyond `longestAnswerChars` is not read; every pattern takes time linear in the text.
 */
import type { AnswerReading } from './textTask.ts';

/** A hundred times the 512 tokens of a published answer. */
const longestAnswerChars = 200_000;
/** Four cards, or a matrix of twenty entries, with blanks. */
const longestListChars = 400;

export interface AnswerFields {
  reading: AnswerReading;
  /** A string field; null when there is none. */
  text(name: string): string | null;
  /** A number, or a string that holds only one, as text; null when there is none. */
  number(name: string): string | null;
  /** A flat list of numbers and strings as trimmed text; null when there is none. */
  list(name: string): string[] | null;
  /** A list of lists of integers; null when there is none. */
  matrix(name: string): number[][] | null;
}

/** @param result the field that an answer has to have: read strictly only when it is there with its type */
export function readFields(answer: string, result: string, type: 'text' | 'number'): AnswerFields {
  const read = answer.slice(0, longestAnswerChars);
  const strict = strictFields(read);
  if (strict && strict[type](result) !== null) return strict;
  const lenient = lenientFields(read);
  return lenient[type](result) === null ? { ...lenient, reading: 'none' } : lenient;
}

function strictFields(answer: string): AnswerFields | null {
  const value = parseObject(answer);
  if (!value) return null;
  const field = (name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);
  return {
    reading: 'strict',
    text: (name) => {
      const found = field(name);
      return typeof found === 'string' ? found : null;
    },
    number: (name) => {
      const found = field(name);
      return typeof found === 'number' || typeof found === 'string' ? numberText(String(found)) : null;
    },
    list: (name) => atomsOf(field(name)),
    matrix: (name) => matrixOf(field(name)),
  };
}

function parseObject(answer: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function atomsOf(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length > longestListChars) return null;
  if (!value.every((atom) => typeof atom === 'string' || typeof atom === 'number')) return null;
  return value.map((atom) => String(atom).trim());
}

function matrixOf(value: unknown): number[][] | null {
  if (!Array.isArray(value) || value.length > longestListChars) return null;
  const isRow = (row: unknown): row is number[] => Array.isArray(row) && row.every(Number.isSafeInteger);
  return value.every(isRow) ? value : null;
}

const minusSigns = /[\u2212\u2013]/g;

function numberText(text: string): string | null {
  const plain = text.trim().replace(minusSigns, '-');
  return /^-?\d{1,15}$/.test(plain) ? plain : null;
}

function lenientFields(answer: string): AnswerFields {
  // bounded quantifiers: an unclosed field repeated many times must not be scanned to the end each time
  const match = (name: string, value: string): string | null =>
    new RegExp(`"${name}"\\s{0,100}:\\s{0,100}${value}`).exec(answer)?.[1] ?? null;
  return {
    reading: 'lenient',
    text: (name) => match(name, '"([^"\\n]*)"'),
    number: (name) => numberText(match(name, '"?\\s{0,100}([-\\u2212\\u2013]?\\d{1,15})(?!\\d|[.eE]\\d)') ?? ''),
    list: (name) => {
      const inner = match(name, `\\[([^\\]]{0,${longestListChars}})\\]`);
      return inner === null ? null : inner.split(',').map((atom) => trimQuotes(atom.trim()).trim());
    },
    matrix: (name) => parseMatrix(match(name, `(\\[[\\[\\]\\d\\s,+\\-\u2212\u2013]{0,${longestListChars}})`) ?? ''),
  };
}

/** The balanced list of lists that the text begins with. */
function parseMatrix(text: string): number[][] | null {
  let depth = 0;
  for (let end = 0; end < text.length; end++) {
    if (text[end] === '[') depth++;
    if (text[end] === ']' && --depth === 0) {
      try {
        return matrixOf(JSON.parse(text.slice(0, end + 1).replace(minusSigns, '-')));
      } catch {
        return null;
      }
    }
  }
  return null;
}

function trimQuotes(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && `'"`.includes(text[start]!)) start++;
  while (end > start && `'"`.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}
