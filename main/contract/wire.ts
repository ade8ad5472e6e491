/**
 * How a view and the engine talk: WebSocket on the engine's own address, path `/engine`; the first message is the
 * token, the engine answers `ready`, then every message is a birpc message in JSON (EngineFunctions, ViewFunctions).
 */
import { z } from 'zod';

export const webSocketPath = '/engine';

/** Sent by the view at once after the socket is open. */
export const helloSchema = z.object({ type: z.literal('hello'), token: z.string().max(256) });
export type Hello = z.infer<typeof helloSchema>;
/** Sent by the engine when the token is right. `engineId` is new at every start of the engine. */
export const readySchema = z.object({ type: z.literal('ready'), contractVersion: z.number(), engineId: z.string() });
export type Ready = z.infer<typeof readySchema>;

/** Close codes of the WebSocket (4000-4999 are the application's). */
export const closeCodes = {
  /** The token is missing, late or wrong: ask for the address that the engine printed; do not retry. */
  unauthorized: 4401,
  /** The engine stops: connect again, it may come back at the same address with the same token. */
  stopping: 4503,
} as const;

/** The token travels in the URL fragment, so that it never reaches a server log or a referrer. */
export const addressWithToken = (origin: string, token: string): string => `${origin}/#token=${token}`;

/** Printed by `rotascope serve --json` on one line when the engine answers. */
export const listeningSchema = z.object({
  type: z.literal('listening'),
  origin: z.string(),
  /** `origin` with the token in its fragment: what to open. */
  address: z.string(),
  port: z.number().int(),
  token: z.string(),
  pid: z.number().int(),
  dataFolder: z.string(),
  /** True when another process already served this data folder and this command only found it. */
  existing: z.boolean(),
});
export type Listening = z.infer<typeof listeningSchema>;
