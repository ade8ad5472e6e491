/** Puts an image on the clipboard. */
import { AppError } from '../../../main/contract/errors.ts';

/** @param png made only once the browser has agreed: it asks for the click that is going on now */
export async function copyImage(png: Promise<Uint8Array>): Promise<void> {
  const blob = png.then((bytes) => new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': await blob })]);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('INTERNAL', 'The browser did not allow copying the image.', {
      hint: 'Export it as PNG instead.',
      cause,
    });
  }
}
