/**
 * How a view and the engine talk: WebSocket on the engine's own address, path `/engine`; the first message is the
 * token, the engine answers `ready`, then every message is a birpc message in JSON (EngineFunctions, ViewFunctions).
 */
import { z } from 'zod';
import { AppError } from './errors.ts';

/** Goes up when a call or an event changes so that an older page, shell or command line would misread it. */
export const contractVersion = 1;

export const webSocketPath = '/engine';

/** Sent by the view at once after the socket is open. */
export const helloSchema = z.object({ type: z.literal('hello'), token: z.string().max(256) });
export type Hello = z.infer<typeof helloSchema>;
/** Sent by the engine when the token is right. `engineId` is new at every start of the engine. */
const readySchema = z.object({
  type: z.literal('ready'),
  contractVersion: z.number(),
  engineId: z.string(),
  /** Of the engine's program. */
  version: z.string(),
});
export type Ready = z.infer<typeof readySchema>;

/**
 * The engine's answer to `hello`, for whoever brings its own code along. (A page does not: the engine serves it.)
 * @throws CONFLICT the engine has another contract
 */
export function readReady(message: string): Ready {
  const ready = readySchema.safeParse(JSON.parse(message));
  if (ready.success && ready.data.contractVersion === contractVersion) return ready.data;
  const engine = ready.success
    ? `Rotascope ${ready.data.version}, whose contract is version ${ready.data.contractVersion}`
    : 'another version of Rotascope';
  throw new AppError(
    'CONFLICT',
    `The engine is ${engine}; the contract of this program is version ${contractVersion}.`,
    {
      hint: 'Install the same version on both machines and start the engine again. A browser at its address works with any version.',
    },
  );
}

/** Close codes of the WebSocket (4000-4999 are the application's). */
export const closeCodes = {
  /** The token is missing, late or wrong: ask for the address that the engine printed; do not retry. */
  unauthorized: 4401,
  /** The engine stops: connect again, it may come back at the same address with the same token. */
  stopping: 4503,
} as const;

/** The token travels in the URL fragment, so that it never reaches a server log or a referrer. */
export const addressWithToken = (origin: string, token: string): string => `${origin}/#token=${token}`;

/** `text` without tokens, for logs and reports of problems. */
export const withoutToken = (text: string): string => text.replace(/(token[=":\s]{1,4})[\w-]{16,}/gi, '$1(left out)');

/** The line that brings the engine at `port` of another machine to the same port of one's own. */
export const tunnelCommand = (port: number, host: string): string => `ssh -N -L ${port}:127.0.0.1:${port} ${host}`;

export interface EngineAddress {
  origin: string;
  port: number;
  token: string;
}

/**
 * The address that an engine printed, as somebody pasted it.
 * @throws INVALID_REQUEST it is none, or not one of this machine: engines answer on loopback only
 */
export function parseEngineAddress(text: string): EngineAddress {
  const match = /^http:\/\/([^/?#\s]+?)(?::(\d{1,5}))?\/?#token=([\w-]{16,256})$/.exec(text.trim());
  const [, host = '', digits = '', token = ''] = match ?? [];
  const port = Number(digits);
  if (!match || port < 1 || port > 65535)
    throw new AppError('INVALID_REQUEST', 'This is not the address of an engine.', {
      hint: 'Paste the whole line that `rotascope serve` printed: http://127.0.0.1:PORT/#token=...',
    });
  if (host !== '127.0.0.1' && host !== 'localhost')
    throw new AppError('INVALID_REQUEST', `An engine answers on its own machine only, not at ${host}.`, {
      hint: `Open a tunnel, ${tunnelCommand(port, `user@${host}`)}, then use http://127.0.0.1:${port}/#token=...`,
    });
  return { origin: `http://${host}:${port}`, port, token };
}

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
