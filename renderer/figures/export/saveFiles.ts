/**
 * Hands files to the user: in the desktop window through its dialogs, in a browser as a download (several as one zip).
 * Both answer the name or path of what was written, or null when the user cancelled.
 */
import { zipSync } from 'fflate';
import type { ExportFile } from './figureFiles.ts';

function download({ name, bytes }: ExportFile): void {
  const address = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads it after the click has returned.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export async function saveFile(file: ExportFile): Promise<string | null> {
  if (window.rotascope !== undefined) return window.rotascope.saveFile(file.name, file.bytes);
  download(file);
  return file.name;
}

/** @param folder name of the folder, or of the zip without its ending */
export async function saveFolder(folder: string, files: ExportFile[]): Promise<string | null> {
  if (window.rotascope !== undefined) return window.rotascope.saveFolder(folder, files);
  const entries = Object.fromEntries(files.map(({ name, bytes }) => [`${folder}/${name}`, bytes]));
  // PNG and PDF are compressed already: the fast level is as good.
  const zip = { name: `${folder}.zip`, bytes: zipSync(entries, { level: 1 }) };
  download(zip);
  return zip.name;
}
