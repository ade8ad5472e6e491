/** Whether another machine's engine has a page to show. Knows nothing of Electron. */
import { get } from 'node:http';
import { AppError } from '../main/contract/errors.ts';

export interface RemoteAddress {
  origin: string;
  token: string;
  /** `origin` with the token in its fragment: what the window loads. */
  address: string;
}

/** @throws CONFLICT its interface was never built; NOT_FOUND nobody answers */
export function checkPage(origin: string, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${origin}/`, (response) => {
      response.resume();
      if (response.statusCode === 200) return resolve();
      reject(
        new AppError('CONFLICT', `The engine on ${host} has no pages to show.`, {
          hint: 'Run this in its folder there once, which builds them: npm start -- --no-open',
        }),
      );
    }).on('error', (cause) => {
      const hint = 'See that the tunnel stands and that the engine runs.';
      reject(new AppError('NOT_FOUND', `Nobody answers at ${origin}.`, { hint, cause }));
    });
  });
}
