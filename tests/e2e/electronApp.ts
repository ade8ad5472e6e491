/**
 * A real Electron window, driven from outside through the two debuggers that every Electron has: the page's (Chromium)
 * and the main process's (Node). Nothing in the app knows that it is driven.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import CDP from 'chrome-remote-interface';
import type { Client } from 'chrome-remote-interface';
import { markedProcesses, markVariable } from './processes.ts';
import { until } from './waiting.ts';

export interface ElectronOptions {
  executable: string;
  /** What Electron is started with: the repository, or the folder of the old build; absent in a packaged app. */
  app?: string;
  dataFolder: string;
  display: string;
  paths?: string[];
  /** Beside the environment of the tests. */
  environment?: NodeJS.ProcessEnv;
}

interface Evaluation {
  exceptionDetails?: { text: string; exception?: { description?: string } };
  result: { value?: unknown };
}

async function evaluate<T>(client: Client, expression: string, more: object): Promise<T> {
  const answer = (await client.Runtime.evaluate({
    expression,
    awaitPromise: true,
    returnByValue: true,
    ...more,
  })) as Evaluation;
  if (answer.exceptionDetails) {
    throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
  }
  return answer.result.value as T;
}

/** Electron's own advice in unpackaged apps probes the page with `new Function`: it would count as our violation. */
const quiet = { ELECTRON_DISABLE_SECURITY_WARNINGS: 'true' };

interface ElectronProcess {
  pid: number;
  mark: string;
  output: string[];
  ended: Promise<number | null>;
  /** Of this start, and of everything it started. */
  processes(): { pid: number; command: string }[];
  /** Ends it whatever it does. */
  kill(): Promise<void>;
}

/** Starts the app and waits for nothing: a second start shows no window. */
export function spawnElectron(options: ElectronOptions): ElectronProcess {
  const { executable, app, dataFolder, display, paths = [], environment: more = {} } = options;
  const mark = randomUUID();
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = spawn(
    executable,
    // Port 0: any free one; both debuggers say on stderr where they listen. Root needs --no-sandbox.
    [
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      '--inspect=0',
      ...(app ? [app] : []),
      `--data=${dataFolder}`,
      ...paths,
    ],
    {
      env: { ...environment, ...more, DISPLAY: display, [markVariable]: mark, ...quiet },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.push(...text.split('\n')));
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const kill = async (): Promise<void> => {
    for (const { pid } of markedProcesses(mark)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    }
    await ended;
  };
  return { pid: child.pid!, mark, output, ended, processes: () => markedProcesses(mark), kill };
}

export interface ElectronApp extends ElectronProcess {
  readonly page: Client;
  /** To the debugger of the page, at `address`, once more: that of a process which died is gone with it. */
  reattach(address?: RegExp): Promise<void>;
  /** Evaluates an expression in the page; promises are awaited, the value comes back as JSON. */
  inPage<T>(expression: string): Promise<T>;
  /** Evaluates in the main process, where `require` is at hand. */
  inMain<T>(expression: string): Promise<T>;
  /** Lets go of both debuggers: a process that ends waits until its own is left alone. */
  detach(): Promise<void>;
}

/** Starts the app and waits until its window shows a page at `address`: one of the engine, unless given. */
export async function launchElectron(
  options: ElectronOptions,
  address = /^http:\/\/127\.0\.0\.1:/,
): Promise<ElectronApp> {
  const started = spawnElectron(options);
  const { output, kill } = started;
  try {
    const port = (pattern: RegExp) => () => output.map((line) => pattern.exec(line)?.[1]).find((found) => found);
    const mainPort = await until('the debugger of the main process', port(/Debugger listening on ws:\/\/[^:]+:(\d+)/));
    const pagePort = await until('the debugger of the page', port(/DevTools listening on ws:\/\/[^:]+:(\d+)/));
    const main = await CDP({ port: Number(mainPort), local: true });
    const attach = async (wanted: RegExp): Promise<Client> => {
      const target = await until('a page', async () => {
        const list = await CDP.List({ port: Number(pagePort) });
        return list.find(({ type, url }) => type === 'page' && wanted.test(url));
      });
      const client = await CDP({ port: Number(pagePort), target, local: true });
      await client.Page.enable();
      await client.Runtime.enable();
      return client;
    };
    let page = await attach(address);
    return {
      ...started,
      get page() {
        return page;
      },
      reattach: async (at = /./) => {
        // Of a page that goes meanwhile, the end would be waited for half a minute.
        page.close().catch(() => undefined);
        page = await attach(at);
      },
      inPage: (expression) => evaluate(page, expression, {}),
      inMain: (expression) => evaluate(main, expression, { includeCommandLineAPI: true }),
      detach: async () => {
        await main.close();
        await page.close();
      },
    };
  } catch (error) {
    await kill();
    throw new Error(`${String(error)}\nOutput of Electron:\n${output.join('\n')}`, { cause: error });
  }
}

/** Clicks the button with this text in the page, once it is there and enabled. */
export function clickButton(app: ElectronApp, label: string): Promise<unknown> {
  return until(`the button ${label}`, () =>
    app.inPage(`(() => {
      const button = [...document.querySelectorAll('button')].find(
        (candidate) => candidate.textContent.trim() === ${JSON.stringify(label)} && !candidate.disabled);
      button?.click();
      return button !== undefined;
    })()`),
  );
}
