/** Files that are often found in the place of a safetensors file, by their first bytes. */

export interface OtherFormat {
  /** A clause for a message. */
  what: string;
  /** The next step; null for the usual one (save the model as safetensors). */
  next: string | null;
}

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
const unpack = 'Unpack it and drop what was inside.';
const download = 'Download the file itself, signed in if the model asks for it.';

const signatures: { bytes: number[]; format: OtherFormat }[] = [
  {
    bytes: ascii('version https://git-lfs'),
    format: { what: 'it is a Git LFS pointer', next: 'Fetch the file itself: run "git lfs pull" in its folder.' },
  },
  {
    bytes: ascii('GGUF'),
    format: {
      what: 'it is a GGUF file, as llama.cpp uses',
      next: 'Take the original checkpoint in safetensors format.',
    },
  },
  {
    bytes: [0x50, 0x4b, 0x03, 0x04],
    format: { what: 'it is a zip archive, as torch.save writes, which could run code when loaded', next: null },
  },
  { bytes: [0x50, 0x4b, 0x05, 0x06], format: { what: 'it is an empty zip archive', next: null } },
  { bytes: [0x89, 0x48, 0x44, 0x46], format: { what: 'it is an HDF5 file, as Keras writes', next: null } },
  { bytes: [0x93, 0x4e, 0x55, 0x4d], format: { what: 'it is a NumPy array', next: null } },
  { bytes: [0x1f, 0x8b], format: { what: 'it is compressed with gzip', next: unpack } },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], format: { what: 'it is compressed with Zstandard', next: unpack } },
  { bytes: ascii('7z\xbc\xaf'), format: { what: 'it is a 7-Zip archive', next: unpack } },
];

/** How many first bytes `otherFormat` needs. */
export const signatureBytes = 64;

/**
 * @param start the first bytes of a file that is not a valid safetensors file
 * @returns what it is instead; null when it is not recognised
 */
export function otherFormat(start: Uint8Array): OtherFormat | null {
  for (const { bytes, format } of signatures) {
    if (start.length >= bytes.length && bytes.every((byte, i) => start[i] === byte)) return format;
  }
  // Pickle protocol 2 to 5; torch.load would run what it says.
  if (start.length >= 3 && start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5) {
    return { what: 'it is a Python pickle, which could run code when loaded', next: null };
  }
  const text = new TextDecoder('latin1').decode(start).trimStart().toLowerCase();
  if (/^<(!doctype|html|head|body|\?xml|!--)/.test(text)) {
    return { what: 'it is a web page, as a failed download leaves', next: download };
  }
  if (/^[{[]\s*"/.test(text)) return { what: 'it is a JSON text, as a failed download leaves', next: download };
  return null;
}
