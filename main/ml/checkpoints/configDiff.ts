/** Two configurations field by field. */
import type { CheckpointDiff } from '../../contract/catalogue.ts';

type Fields = CheckpointDiff['config'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns the fields that differ, by path and name; a side that lacks the field has no value */
export function configDiff(a: Record<string, unknown>, b: Record<string, unknown>, prefix = ''): Fields {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.flatMap((name): Fields => {
    const field = `${prefix}${name}`;
    const [one, other] = [a[name], b[name]];
    if (isObject(one) && isObject(other)) return configDiff(one, other, `${field}.`);
    if (JSON.stringify(one) === JSON.stringify(other)) return [];
    return [{ field, ...(one === undefined ? {} : { a: one }), ...(other === undefined ? {} : { b: other }) }];
  });
}
