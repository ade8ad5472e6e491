/**
 * The OOD peak: the checkpoint with the most right answers on the selection half, the earliest one of a tie
 * (the reporting half says how good it is).
 * @param correctByStep right answers by SFT step
 */
export function selectPeak(correctByStep: Readonly<Record<string, number>>): number {
  const steps = Object.keys(correctByStep).map(Number).sort((a, b) => a - b); // prettier-ignore
  let peak = steps[0];
  if (peak === undefined) throw new RangeError('No checkpoint was evaluated.');
  for (const step of steps) if (correctByStep[step]! > correctByStep[peak]!) peak = step;
  return peak;
}
