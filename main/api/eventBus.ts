/** What happens, told to every connected view. */
import type { EngineEvent } from '../contract/api.ts';

export type EventListener = (event: EngineEvent) => void;

export class EventBus {
  readonly #listeners = new Set<EventListener>();

  publish(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
