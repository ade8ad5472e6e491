/** Puts text on the clipboard. */
import { AppError } from '../../main/contract/errors.ts';

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

/** @throws INTERNAL when the browser allows neither way. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No permission, or a browser without the asynchronous clipboard.
    if (!copyBySelection(text))
      throw new AppError('INTERNAL', 'The browser did not allow copying.', { hint: 'Select the text and copy it.' });
  }
}
