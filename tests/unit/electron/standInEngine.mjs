/**
 * Behaves towards its supervisor as `rotascope serve --json` does, without an engine: says where it listens, ends when
 * asked. First argument: `serve`, `existing PID`, `refuse`, `deaf` (ignores SIGTERM and the end of its input), `again`
 * (says it again after a restart of its own), `survived`
 * (a process of its own outlives it for a second and holds its pipes, as a worker does).
 */
import { spawn } from 'node:child_process';

const [behaviour, otherPid] = process.argv.slice(2);
const listening = {
  type: 'listening',
  origin: 'http://127.0.0.1:1',
  address: 'http://127.0.0.1:1/#token=t',
  port: 1,
  token: 't',
  pid: process.pid,
  dataFolder: '/nowhere',
  existing: false,
};
if (behaviour === 'refuse') {
  console.error('The database is newer than this program.');
  process.exit(3);
}
if (behaviour === 'existing') {
  console.log(JSON.stringify({ ...listening, pid: Number(otherPid), existing: true }));
  process.exit(0);
}
if (behaviour === 'survived') spawn('sleep', ['1'], { stdio: 'inherit', detached: true });
if (behaviour === 'deaf') process.on('SIGTERM', () => undefined);
else {
  process.on('SIGTERM', () => process.exit(0));
  process.stdin.on('end', () => process.exit(0)).resume();
}
console.log('a line that is no JSON');
console.log(JSON.stringify({ type: 'other' }));
console.log(JSON.stringify(listening));
if (behaviour === 'again') setTimeout(() => console.log(JSON.stringify({ ...listening, dataFolder: '/moved' })), 100);
setInterval(() => undefined, 1000);
