/**
 * Preloaded into a process: it is killed in place of the rename, link, copy or removal that ROTASCOPE_KILL_AT counts to.
 * One that comes to its end says how many there were.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env.ROTASCOPE_KILL_AT ?? Infinity);
let steps = 0;
for (const name of ['rename', 'link', 'copyFile', 'rm', 'rmdir', 'unlink']) {
  const real = fs.promises[name];
  fs.promises[name] = (...args) => {
    steps += 1;
    if (steps === killAt) process.kill(process.pid, 'SIGKILL');
    return real(...args);
  };
}
syncBuiltinESMExports();
process.on('exit', () => console.error(`steps ${steps}`));
