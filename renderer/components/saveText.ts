/** A text as a file: through the desktop's own dialog, or as a download of the browser. */

/** @returns whether it was saved, or given to the browser to save */
export async function saveText(name: string, text: string): Promise<boolean> {
  const desktop = window.rotascope;
  if (desktop !== undefined) return (await desktop.saveFile(name, new TextEncoder().encode(text))) !== null;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = name;
  link.click();
  // The browser reads it after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return true;
}

/** "Miniature study, 3 seeds" -> "miniature-study-3-seeds". */
export const fileNameOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'untitled';
