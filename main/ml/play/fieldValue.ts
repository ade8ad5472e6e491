/** What was typed into one field of a question. */
import { AppError } from '../../contract/errors.ts';
import type { PlayField } from '../../contract/play.ts';

/** The value of a field. @throws INVALID_REQUEST when it is empty or none of its choices */
export function fieldValue({ name, label, choices, hint }: PlayField, inputs: Record<string, string>): string {
  const value = (inputs[name] ?? '').trim();
  if (value === '' || (choices.length > 0 && !choices.includes(value)))
    throw new AppError('INVALID_REQUEST', `${label}: "${value}" is not possible.`, {
      hint: choices.length > 0 ? `One of ${choices.join(', ')}.` : hint,
    });
  return value;
}
