/**
 * Stands in for `ssh` where there is no SSH server to log in to: runs the command on this machine and forwards the port
 * itself. Of the options it takes those that the shell gives.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const args = process.argv.slice(2);
let forward = '';
while (args[0] !== '--') {
  const option = args.shift();
  if (option === '-o') args.shift();
  else if (option === '-L') forward = args.shift() ?? '';
  else if (option !== '-T') throw new Error(`Unknown option ${option}.`);
}
const [, host, command] = args;
if (host === 'stranger') {
  console.error('Host key verification failed.');
  process.exit(255);
}
/** @type {Promise<void>} */
const forwarding = new Promise((resolve) => {
  if (forward === '') return resolve();
  const [address, port, farAddress, farPort] = forward.split(':');
  createServer((near) => {
    const far = connect(Number(farPort), farAddress);
    for (const socket of [near, far])
      socket.on('error', () => undefined).on('close', () => (near.destroy(), far.destroy()));
    near.pipe(far).pipe(near);
  })
    .on('error', (error) => {
      console.error(
        `bind [${address}]:${port}: ${error.message}\nchannel_setup_fwd_listener_tcpip: cannot listen to port: ${port}`,
      );
      process.exit(255);
    })
    .listen(Number(port), address, resolve);
});
await forwarding;
/** @type {import('node:child_process').ChildProcess | undefined} */
let child;
process.on('SIGTERM', () => {
  // A server ends what it runs with the connection: the shell there and what that has started.
  if (child?.pid) process.kill(-child.pid);
  process.exit(255);
});
child = spawn('/bin/sh', ['-c', command ?? ''], { stdio: 'inherit', detached: true });
child.on('exit', (code) => process.exit(code ?? 255));
