/**
 * The real parts that these suites need and a machine may lack: found as `npm test` finds them. A suite whose part is
 * absent is skipped loudly, with the reason; ROTASCOPE_REQUIRE_E2E=1 (CI) makes that a failure.
 */
import { describe, test } from 'vitest';
import { findElectron } from '../../main/bootstrap/electronBinary.mjs';
import { findChromium, findElectronOld, findXvfb } from '../../main/bootstrap/testParts.mjs';

export interface Part {
  /** Empty when it is not there. */
  path: string;
  /** Why it is not there. */
  reason: string;
  /** A machine without it is a normal one: never a failure. */
  isOptional?: boolean;
}

const fetchThem = 'npm test finds or installs it.';

const part = (path: string, reason: string, isOptional = false): Part => ({
  path,
  reason: path ? '' : reason,
  isOptional,
});

export const chromium = part(findChromium(), `Chromium is not installed. ${fetchThem}`);
export const xvfb = part(process.env['ROTASCOPE_XVFB'] || findXvfb(), `Xvfb is not installed. ${fetchThem}`);
export const oldElectron = part(
  process.env['ROTASCOPE_ELECTRON_OLD'] || findElectronOld(),
  `Electron 9.4.1 is not installed. ${fetchThem}`,
);
export const currentElectron = part(
  process.env['ROTASCOPE_ELECTRON'] || findElectron(),
  'The current Electron is not here; npx install-electron downloads it.',
  true,
);

/** Like `describe`; skipped, with the reason on the console and in its name, when a part is absent. */
export function describeWith(parts: Part[], name: string, suite: () => void): void {
  const missing = parts.filter(({ path }) => !path);
  if (missing.length === 0) {
    describe(name, suite);
    return;
  }
  const reasons = missing.map(({ reason }) => reason).join(' ');
  if (process.env['ROTASCOPE_REQUIRE_E2E'] === '1' && !missing.some(({ isOptional }) => isOptional)) {
    test(name, () => {
      throw new Error(`Not run: ${reasons}`);
    });
    return;
  }
  console.warn(`\nSKIPPED: ${name}. ${reasons}\n`);
  describe.skip(`${name} (${reasons})`, suite);
}
