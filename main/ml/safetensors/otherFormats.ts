/** Files that are often found in the place of a safetensors file, by their first bytes. */

const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));

const signatures: { bytes: number[]; what: string }[] = [
  {
    bytes: ascii('version https://git-lfs'),
    what: 'it is a Git LFS pointer; fetch the file itself with "git lfs pull"',
  },
  { bytes: ascii('GGUF'), what: 'it is a GGUF file, as llama.cpp uses; take the original safetensors checkpoint' },
  {
    bytes: [0x50, 0x4b, 0x03, 0x04],
    what: 'it is a zip archive, as torch.save writes, and could run code when loaded',
  },
  { bytes: [0x50, 0x4b, 0x05, 0x06], what: 'it is an empty zip archive' },
  { bytes: [0x89, 0x48, 0x44, 0x46], what: 'it is an HDF5 file, as Keras writes' },
  { bytes: [0x93, 0x4e, 0x55, 0x4d], what: 'it is a NumPy array' },
  { bytes: [0x1f, 0x8b], what: 'it is compressed with gzip; unpack it first' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'it is compressed with Zstandard; unpack it first' },
  { bytes: ascii('7z'), what: 'it is a 7-Zip archive; unpack it first' },
];

/** How many first bytes `otherFormat` needs. */
export const signatureBytes = 64;

/**
 * @param start the first bytes of a file that is not a valid safetensors file
 * @returns what it is instead, as a clause for a message; null when it is not recognised
 */
export function otherFormat(start: Uint8Array): string | null {
  for (const { bytes, what } of signatures) {
    if (start.length >= bytes.length && bytes.every((byte, i) => start[i] === byte)) return what;
  }
  // Pickle protocol 2 to 5; torch.load would run what it says.
  if (start.length >= 3 && start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5) {
    return 'it is a Python pickle, which could run code when loaded';
  }
  const text = new TextDecoder('latin1').decode(start).trimStart().toLowerCase();
  if (/^<(!doctype|html|head|body|\?xml|!--)/.test(text)) {
    return 'it is a web page, probably an error or login page saved by a download; download the file itself';
  }
  if (/^[{[]\s*"/.test(text)) return 'it is a JSON text, probably an error message saved by a download';
  return null;
}
