/**
 * "Check for updates…": only when asked, only tells. Nothing is downloaded or installed, so no job is interrupted.
 * The address is the user's to set (ROTASCOPE_UPDATE_URL): it answers {"version": "1.2.3", "page": "https://..."}.
 * Knows nothing of Electron.
 */
import { get } from 'node:https';

export interface UpdateAnswer {
  message: string;
  detail: string;
  /** Where the newer version can be had; null when there is nothing to open. */
  page: string | null;
}

const timeoutMs = 10_000;
/** Two short strings, bytes. */
const maxAnswerBytes = 64 * 1024;

/** @param ask fetches the text at an address; https unless a test says otherwise */
export async function checkForUpdates(
  current: string,
  address: string | undefined,
  ask: (address: string) => Promise<string> = askHttps,
): Promise<UpdateAnswer> {
  if (!address) {
    return {
      message: 'No address to ask for updates is set.',
      detail: `This is version ${current}. New versions are where this one came from. To be told of them here, set ROTASCOPE_UPDATE_URL to an https address that answers {"version": …, "page": …}.`,
      page: null,
    };
  }
  try {
    return compared(current, await ask(address));
  } catch (error) {
    return {
      message: 'The check for updates got no answer.',
      detail: `${error instanceof Error ? error.message : String(error)} This is version ${current}. Check ROTASCOPE_UPDATE_URL (${address}) and the network, then try again.`,
      page: null,
    };
  }
}

function compared(current: string, text: string): UpdateAnswer {
  const { version, page } = (JSON.parse(text) ?? {}) as { version?: unknown; page?: unknown };
  if (typeof version !== 'string' || !/^\d+\.\d+\.\d+$/.test(version)) throw new Error('It names no version.');
  const isNewer = compareVersions(version, current) > 0;
  return {
    message: isNewer ? `Version ${version} is there.` : 'This is the newest version.',
    detail: isNewer
      ? `This is version ${current}. Running jobs go on; install the new version when it suits.`
      : `This is version ${current}, the newest announced is ${version}.`,
    page: isNewer && typeof page === 'string' && page.startsWith('https://') ? page : null,
  };
}

/** @returns above 0 when `a` is newer; what follows the three numbers is left out */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string): number[] => version.split(/[.+-]/).slice(0, 3).map(Number);
  const [left, right] = [parts(a), parts(b)];
  const index = left.findIndex((part, at) => part !== right[at]);
  return index < 0 ? 0 : left[index]! - right[index]!;
}

function askHttps(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(address, { headers: { accept: 'application/json' }, timeout: timeoutMs }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`The server answered ${response.statusCode ?? '?'}.`));
        return;
      }
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > maxAnswerBytes) request.destroy(new Error('The answer is too long.'));
      });
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy(new Error(`No answer within ${timeoutMs / 1000} s.`)));
    request.on('error', reject);
  });
}
