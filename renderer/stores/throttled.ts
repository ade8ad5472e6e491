/** Runs at once, then at most every `everyMs`; a call in between runs once at the end of the wait. Never overlaps. */
export function throttled(run: () => Promise<void>, everyMs: number): () => void {
  let busy = false;
  let again = false;
  const loop = async (): Promise<void> => {
    busy = true;
    do {
      again = false;
      await run();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    } while (again);
    busy = false;
  };
  return () => {
    again = true;
    if (!busy) void loop();
  };
}
