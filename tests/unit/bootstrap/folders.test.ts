import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { cacheFolder, dataFolder } from '../../../main/bootstrap/folders.mjs';

afterEach(() => vi.unstubAllEnvs());

test.runIf(process.platform === 'linux')('own variables first, then the XDG folders, then the home', () => {
  vi.stubEnv('ROTASCOPE_DATA', '/somewhere/data');
  vi.stubEnv('ROTASCOPE_CACHE', '/somewhere/cache');
  expect([dataFolder(), cacheFolder()]).toEqual(['/somewhere/data', '/somewhere/cache']);
  vi.stubEnv('ROTASCOPE_DATA', undefined);
  vi.stubEnv('ROTASCOPE_CACHE', undefined);
  vi.stubEnv('XDG_DATA_HOME', '/xdg/data');
  vi.stubEnv('XDG_CACHE_HOME', '/xdg/cache');
  expect([dataFolder(), cacheFolder()]).toEqual(['/xdg/data/rotascope', '/xdg/cache/rotascope']);
  vi.stubEnv('XDG_DATA_HOME', undefined);
  vi.stubEnv('XDG_CACHE_HOME', undefined);
  expect(dataFolder()).toBe(join(homedir(), '.local/share/rotascope'));
  expect(cacheFolder()).toBe(join(homedir(), '.cache/rotascope'));
});
