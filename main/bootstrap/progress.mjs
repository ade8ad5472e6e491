/** Says what the preparation is doing: an updating line with bytes and time left on a terminal, else one line a step. */

/**
 * @typedef {import('./cachedPart.mjs').StepProgress} StepProgress
 * @param {NodeJS.WriteStream} stream
 */
export function stepReporter(stream) {
  let current = '';
  let startedAt = 0;
  let drawnAt = 0;
  /** A line without its newline is on the terminal. */
  let open = false;

  const finishLine = () => {
    if (!current) return;
    const seconds = (Date.now() - startedAt) / 1000;
    const took = seconds < 1 ? '' : ` (${seconds.toFixed(seconds < 10 ? 1 : 0)} s)`;
    if (open) stream.write(`\r\x1b[2K${current}${took}\n`);
    open = false;
    current = '';
  };

  return {
    /** @param {StepProgress} progress */
    report(progress) {
      const { step, doneBytes, totalBytes, note } = progress;
      if (step !== current) {
        finishLine();
        current = step;
        startedAt = Date.now();
        drawnAt = 0;
        if (!stream.isTTY) stream.write(totalBytes ? `${step} (${megabytes(totalBytes)})\n` : `${step}\n`);
      }
      const now = Date.now();
      if (!stream.isTTY || (now - drawnAt < 100 && doneBytes !== totalBytes)) return;
      drawnAt = now;
      open = true;
      stream.write(`\r\x1b[2K${step}${note ? ` ${note}` : amount(doneBytes, totalBytes, now - startedAt)}`);
    },
    /** @param {string} text a line of its own */
    say(text) {
      finishLine();
      stream.write(`${text}\n`);
    },
    end: finishLine,
  };
}

/**
 * @param {number | undefined} doneBytes
 * @param {number | undefined} totalBytes
 * @param {number} elapsedMs
 */
export function amount(doneBytes, totalBytes, elapsedMs) {
  if (doneBytes === undefined || !totalBytes) return ' ...';
  const text = ` ${megabytes(doneBytes)} of ${megabytes(totalBytes)}`;
  if (doneBytes === 0 || doneBytes >= totalBytes || elapsedMs < 1000) return text;
  const leftSeconds = Math.ceil(((totalBytes - doneBytes) / doneBytes) * (elapsedMs / 1000));
  const left = leftSeconds < 100 ? `${leftSeconds} s` : `${Math.ceil(leftSeconds / 60)} min`;
  return `${text}, ${left} left`;
}

/** @param {number} bytes */
export const megabytes = (bytes) => `${bytes < 9.95e6 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6)} MB`;
