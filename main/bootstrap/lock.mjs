/**
 * A lock between processes: one file that names its owner. A process that dies leaves the file behind; the next one
 * sees that the owner is gone and takes over. Owners on another machine (a home folder on a network disk) cannot be
 * looked up, so every owner touches its file, and one not touched for a minute is taken to be dead.
 */
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';

const touchEveryMs = 5_000;
const deadAfterMs = 60_000;
const lookEveryMs = 200;

/**
 * Runs `work` while no other process holds the same lock.
 * @template T
 * @param {string} path the lock file
 * @param {() => Promise<T>} work
 * @param {(ownerPid: number) => void} [onWait] called once when another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryToTake(path)) {
    const owner = readOwner(path);
    if (owner && !told) {
      told = true;
      onWait?.(owner.pid);
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  const touching = setInterval(() => touch(path), touchEveryMs);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function tryToTake(path) {
  if (create(path)) return true;
  if (!isAbandoned(path)) return false;
  // Two waiting processes may see the same dead owner: only the one that holds the second file may remove the first.
  const takeover = `${path}.takeover`;
  if (!create(takeover)) {
    if (ageMs(takeover) > touchEveryMs) rmSync(takeover, { force: true });
    return false;
  }
  try {
    if (isAbandoned(path)) rmSync(path, { force: true });
    return create(path);
  } finally {
    rmSync(takeover, { force: true });
  }
}

/** @param {string} path */
function create(path) {
  try {
    const owner = { pid: process.pid, host: hostname(), startedAt: processStart(process.pid) };
    writeFileSync(path, JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function isAbandoned(path) {
  const owner = readOwner(path);
  if (!owner) return ageMs(path) > touchEveryMs; // empty or cut off: its writer died between two system calls
  if (owner.host !== hostname()) return ageMs(path) > deadAfterMs;
  return !isAlive(owner.pid) || (owner.startedAt !== null && processStart(owner.pid) !== owner.startedAt);
}

/**
 * @param {string} path
 * @returns {{ pid: number, host: string, startedAt: string | null } | null}
 */
function readOwner(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * The kernel's start time of a process, so that a pid given to another process is not taken for the owner.
 * @param {number} pid
 * @returns {string | null} null where the system does not tell
 */
function processStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22 of proc(5); the command's name (field 2, in brackets) may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** @param {string} path */
function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** @param {string} path */
function touch(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // The cache was removed under us; the work itself will say so.
  }
}
