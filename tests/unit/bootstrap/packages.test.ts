/** npm never runs on the Node that it is about to delete. */
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryFolder } from '../../../main/bootstrap/folders.mjs';
import { engineNode, npmCommand } from '../../../main/bootstrap/packages.mjs';

const bin = join(repositoryFolder, 'node_modules', '.bin');
const npmScript = '/anywhere/npm/bin/npx-cli.js';
/** A program that is there on every system of the tests and lies outside the packages. */
const outside = '/bin/sh';

describe('npmCommand', () => {
  it('takes the Node that npm runs on, with npm itself as a script', () => {
    const env = { PATH: `${bin}${delimiter}/bin`, npm_execpath: npmScript, npm_node_execpath: outside };
    const command = npmCommand(env, engineNode()!);
    expect(command).toMatchObject({ command: outside, args: ['/anywhere/npm/bin/npm-cli.js'] });
    expect(command.env['PATH']).toBe('/bin');
  });

  it('passes by the Node among the packages, by its own path and by its link', () => {
    for (const installed of [engineNode()!, join(bin, 'node')]) {
      const env = { ...process.env, npm_execpath: npmScript, npm_node_execpath: installed };
      const { command, env: cleaned } = npmCommand(env, installed);
      expect(command).not.toContain(join(repositoryFolder, 'node_modules'));
      expect(cleaned['PATH']).not.toContain(bin);
    }
  });
});
