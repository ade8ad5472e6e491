/** What a command that follows a job waits for: a push of the engine, at the latest a few seconds. */

/** The engine is asked at most this often, and when nothing was pushed for the longer time. */
const minIntervalMs = 200;
const maxIntervalMs = 5000;

export class Wake {
  #resolve: () => void = () => undefined;
  #pushed = false;
  readonly push = (): void => {
    this.#pushed = true;
    this.#resolve();
  };
  async wait(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, minIntervalMs));
    if (!this.#pushed)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, maxIntervalMs);
        this.#resolve = () => (clearTimeout(timer), resolve());
      });
    this.#pushed = false;
  }
}
