/** What the palette finds: its entries in their order for a query. Pure. */

export interface PaletteEntry {
  label: string;
  /** What it is, in one word: "page", "action", "study". Found by typing it, too. */
  kind: string;
  run(): void;
}

/** More than anyone reads: the rest is found by typing on. */
export const shownEntries = 60;

/** Every word of the query has to be there; a label that begins with the query comes first, then one with such a word. */
export function findEntries(entries: readonly PaletteEntry[], query: string): PaletteEntry[] {
  const wanted = query.trim().toLowerCase();
  const words = wanted.split(/\s+/).filter(Boolean);
  const found = entries.filter(({ label, kind }) => {
    const text = `${label} ${kind}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const rank = ({ label }: PaletteEntry): number => {
    const text = label.toLowerCase();
    if (text.startsWith(wanted)) return 0;
    return text.split(/\s+/).some((word) => word.startsWith(words[0] ?? '')) ? 1 : 2;
  };
  const ranked = wanted === '' ? found : [...found].sort((a, b) => rank(a) - rank(b));
  return ranked.slice(0, shownEntries);
}
