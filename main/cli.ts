#!/usr/bin/env node
/** The command line: `rotascope serve`, `study`, `import`, `doctor`. Run by Node 24 directly. */
import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { serveCommand } from './cli/serve.ts';

const program = new Command('rotascope')
  .description(packageJson.description)
  .version(packageJson.version)
  .addCommand(serveCommand());

await program.parseAsync();
