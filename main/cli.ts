#!/usr/bin/env node
/** The command line: `rotascope serve`, `study`, `import`, `compare`, `ablate`, `export-point`, `export`, `sft-data`, `doctor`. Run by Node 24 directly. */
import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { ablateCommand } from './cli/ablate.ts';
import { compareCommand } from './cli/compare.ts';
import { doctorCommand } from './cli/doctor.ts';
import { exportCommand } from './cli/export.ts';
import { exportPointCommand } from './cli/exportPoint.ts';
import { importCommand } from './cli/import.ts';
import { serveCommand } from './cli/serve.ts';
import { sftDataCommand } from './cli/sftData.ts';
import { studyCommand } from './cli/study.ts';

const program = new Command('rotascope')
  .description(packageJson.description)
  .version(packageJson.version)
  .addCommand(serveCommand())
  .addCommand(studyCommand())
  .addCommand(importCommand())
  .addCommand(compareCommand())
  .addCommand(ablateCommand())
  .addCommand(exportPointCommand())
  .addCommand(exportCommand())
  .addCommand(sftDataCommand())
  .addCommand(doctorCommand());

// Wrong usage is 2 everywhere; commander's own is 1.
for (const command of [program, ...program.commands])
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

await program.parseAsync();
