#!/usr/bin/env node
/** The command line: `rotascope serve`, `study`, `import`, `compare`, `ablate`, `hidden-states`, `export-point`, `export`, `report`, `sft-data`, `backup`, `restore`, `move-data`, `doctor`. Run by Node 24 directly. */
import { Command, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { backendChoiceSchema } from './contract/api.ts';
import { ablateCommand } from './cli/ablate.ts';
import { backupCommand } from './cli/backup.ts';
import { compareCommand } from './cli/compare.ts';
import { doctorCommand } from './cli/doctor.ts';
import { exportCommand } from './cli/export.ts';
import { exportPointCommand } from './cli/exportPoint.ts';
import { hiddenStatesCommand } from './cli/hiddenStates.ts';
import { importCommand } from './cli/import.ts';
import { moveDataCommand } from './cli/moveData.ts';
import { reportCommand } from './cli/report.ts';
import { restoreCommand } from './cli/restore.ts';
import { serveCommand } from './cli/serve.ts';
import { sftDataCommand } from './cli/sftData.ts';
import { studyCommand } from './cli/study.ts';

const program = new Command('rotascope')
  .description(packageJson.description)
  .version(packageJson.version)
  .addOption(
    new Option(
      '--backend <name>',
      'what computes in an engine that this command starts (else ROTASCOPE_BACKEND)',
    ).choices(backendChoiceSchema.options),
  )
  .option('--gpu <which>', 'of several GPUs: number or UUID (CUDA), a part of the name (WebGPU) (else ROTASCOPE_GPU)')
  .hook('preAction', (command) => {
    const { backend, gpu } = command.opts<{ backend?: string; gpu?: string }>();
    // The engine and its workers read these.
    if (backend) process.env['ROTASCOPE_BACKEND'] = backend;
    if (gpu) process.env['ROTASCOPE_GPU'] = gpu;
  })
  .addCommand(serveCommand())
  .addCommand(studyCommand())
  .addCommand(importCommand())
  .addCommand(compareCommand())
  .addCommand(ablateCommand())
  .addCommand(hiddenStatesCommand())
  .addCommand(exportPointCommand())
  .addCommand(exportCommand())
  .addCommand(reportCommand())
  .addCommand(sftDataCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(moveDataCommand())
  .addCommand(doctorCommand());

// Wrong usage is 2 everywhere; commander's own is 1.
for (const command of [program, ...program.commands])
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

await program.parseAsync();
