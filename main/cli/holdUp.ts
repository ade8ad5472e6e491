/** What holds up the jobs that a command follows: told once, when it begins. Nothing of it ends the command. */
import type { EngineClient } from '../api/engineClient.ts';

export class HoldUp {
  readonly #client: EngineClient;
  readonly #address: string;
  #said = '';

  /** @param address where a browser finds the engine */
  constructor(client: EngineClient, address: string) {
    this.#client = client;
    this.#address = address;
  }

  /** @param states of all jobs that are followed. @returns what to tell now; empty for nothing new */
  async look(states: readonly string[]): Promise<string> {
    const text = states.includes('running') ? '' : await this.#text(states);
    const isNew = text !== this.#said;
    this.#said = text;
    return isNew ? text : '';
  }

  async #text(states: readonly string[]): Promise<string> {
    if (states.includes('queued') && (await this.#client.call('jobs.queue', {})).paused)
      return `The queue is paused: nothing starts before "rotascope queue resume", or Resume queue on the page of jobs, ${this.#address}`;
    return states.includes('paused') ? `Paused. Waiting for Resume on the page of jobs, ${this.#address}` : '';
  }
}
