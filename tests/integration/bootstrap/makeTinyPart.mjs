/**
 * A process that installs a tiny part the way the native libraries are installed: downloads a wheel with pip, checks its
 * hash, unpacks it, renames it into the cache. `node makeTinyPart.mjs BOOTSTRAP_FOLDER` with TINY_WHEEL (JSON), STEP_MS
 * and LOG in the environment. Prints one JSON line a report, the last with the outcome.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const load = (name) => import(pathToFileURL(join(process.argv[2], name)).href);
const { downloadsFolder, ensurePart } = await load('cachedPart.mjs');
const { downloadWheel } = await load('wheels.mjs');
const { extractMembers } = await load('wheelArchive.mjs');

const wheel = JSON.parse(process.env.TINY_WHEEL);
const log = (word) => process.env.LOG && appendFileSync(process.env.LOG, `${word} ${process.pid}\n`);
const say = (message) => console.log(JSON.stringify(message));

try {
  const outcome = await ensurePart(
    'tiny-1.0',
    async (partial) => {
      log('enter');
      const archive = await downloadWheel(wheel, downloadsFolder(), () => {});
      const files = await extractMembers(
        archive,
        partial,
        (name) => name,
        () => {},
      );
      say({ reached: 'unpacked' });
      await new Promise((resolve) => setTimeout(resolve, Number(process.env.STEP_MS ?? 0)));
      log('leave');
      return { wheels: [wheel.file], files };
    },
    ({ step }) => say({ step }),
  );
  say({ outcome });
} catch (error) {
  say({ outcome: 'failed', reason: error.reason ?? String(error), nextStep: error.nextStep });
}
