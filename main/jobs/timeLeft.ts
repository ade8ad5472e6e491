/** How long a plan takes: list scheduling of what is left, in plan order, over the cores. */

export interface RemainingStage {
  id: string;
  dependsOn: readonly string[];
  durationMs: number;
}

/** @returns when the last stage ends, ms from now; dependencies that are not in the list are done already */
export function makespanMs(stages: readonly RemainingStage[], slots: number): number {
  const ends = new Map<string, number>();
  const isLeft = new Set(stages.map(({ id }) => id));
  const cores = Array.from({ length: Math.max(1, slots) }, () => 0);
  let waiting = [...stages];
  while (waiting.length > 0) {
    const readyAt = (stage: RemainingStage): number =>
      Math.max(0, ...stage.dependsOn.filter((id) => isLeft.has(id)).map((id) => ends.get(id) ?? Infinity));
    const core = cores.indexOf(Math.min(...cores));
    // The first in plan order among those that can start soonest on the core that is free soonest.
    const next = waiting.reduce((best, stage) =>
      Math.max(readyAt(stage), cores[core]!) < Math.max(readyAt(best), cores[core]!) ? stage : best,
    );
    const start = Math.max(readyAt(next), cores[core]!);
    if (start === Infinity) throw new RangeError('The stages depend on each other in a circle.');
    cores[core] = start + next.durationMs;
    ends.set(next.id, cores[core]);
    waiting = waiting.filter((stage) => stage !== next);
  }
  return Math.max(0, ...ends.values());
}
