/** Which folders of the catalogue are there: looked at in the background, since a list of thousands may not wait for a disk. */
import { access } from 'node:fs/promises';
import type { Store } from '../store/store.ts';

/** A list waits this long for a look to end: that of a few hundred folders does. */
const patienceMs = 30;
/** Between the end of one look and the next; longer for many folders, as each takes about as long as the last. */
const restMs = 2000;
const restPerLook = 20;
const sideBySide = 16;

export class FolderPresence {
  readonly #store: Store;
  readonly #onChanged: () => void;
  #looking: Promise<void> | null = null;
  #restsUntilMs = -Infinity;

  constructor(store: Store, onChanged: () => void) {
    this.#store = store;
    this.#onChanged = onChanged;
  }

  /** Starts a look unless the last one was a moment ago, and waits for it a little. */
  async look(): Promise<void> {
    if (this.#looking === null && performance.now() < this.#restsUntilMs) return;
    const startMs = performance.now();
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = null;
      const endMs = performance.now();
      this.#restsUntilMs = endMs + Math.max(restMs, restPerLook * (endMs - startMs));
    });
    await Promise.race([this.#looking, new Promise((resolve) => setTimeout(resolve, patienceMs))]);
  }

  async #lookAtAll(): Promise<void> {
    const startMs = performance.now();
    const { checkpoints } = this.#store;
    const folders = checkpoints.folders();
    let changed = false;
    const work = async (): Promise<void> => {
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const missing = await access(folder).then(
          () => false,
          () => true,
        );
        changed ||= missing !== checkpoints.isMissing(folder);
        checkpoints.setMissing(folder, missing);
      }
    };
    await Promise.all(Array.from({ length: sideBySide }, work));
    // Whoever asked has waited for it otherwise.
    if (changed && performance.now() - startMs > patienceMs) this.#onChanged();
  }
}
