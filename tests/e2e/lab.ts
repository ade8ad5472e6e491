/** The engine with its built interface and a Chromium beside it, for one suite: started before it, stopped after it. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchBrowser } from './browser.ts';
import { built } from './builds.ts';
import { startEngineUnderTest } from './engineUnderTest.ts';
import type { EngineUnderTest } from './engineUnderTest.ts';

export interface Lab {
  browser: Browser;
  engine: EngineUnderTest;
}

/** @returns what the tests of the suite use; empty until the suite's first test */
export function startLab(): Lab {
  const lab: Partial<Lab> = {};
  beforeAll(async () => {
    lab.engine = await startEngineUnderTest(`${await built('production')}/renderer`);
    lab.browser = await launchBrowser();
  });
  afterAll(async () => {
    await lab.browser?.close();
    await lab.engine?.stop();
  });
  return lab as Lab;
}
