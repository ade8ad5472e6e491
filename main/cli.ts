#!/usr/bin/env node
/** The command line, one file in `cli/` for each command. Run by Node 24 directly. */
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
import { queueCommand } from './cli/queue.ts';
import { reportCommand } from './cli/report.ts';
import { restoreCommand } from './cli/restore.ts';
import { serveCommand } from './cli/serve.ts';
import { sftDataCommand } from './cli/sftData.ts';
import { studyCommand } from './cli/study.ts';

/** Commands that work on this machine alone. `export` would read the wrong data folder without a word. */
const localCommands = new Set(['serve', 'sft-data', 'doctor']);

/** @param isOption not only by the environment, which other programs that start us pass on */
function checkConnect(action: Command, isOption: boolean): void {
  const name = action.name();
  if (name === 'export' || (isOption && localCommands.has(name)))
    action.error(
      `${name} does not use an engine at an address. Run it on that machine, without --connect and ROTASCOPE_CONNECT.`,
    );
  if (action.getOptionValueSource('data') === 'cli')
    action.error('--connect and --data name two engines. Leave one of them out.');
}

const program = new Command('rotascope')
  .description(packageJson.description)
  .version(packageJson.version)
  .addOption(
    new Option(
      '--backend <name>',
      'what computes in an engine that this command starts (else ROTASCOPE_BACKEND)',
    ).choices(backendChoiceSchema.options),
  )
  .addOption(
    new Option(
      '--connect <address>',
      "use the engine at this address, as `serve` printed it, in place of the data folder's; through a tunnel that of another machine (see serve --help)",
    ).env('ROTASCOPE_CONNECT'),
  )
  .option('--gpu <which>', 'of several GPUs: number or UUID (CUDA), a part of the name (WebGPU) (else ROTASCOPE_GPU)')
  .hook('preAction', (command, action) => {
    const { backend, connect, gpu } = command.opts<{ backend?: string; connect?: string; gpu?: string }>();
    if (connect) checkConnect(action, command.getOptionValueSource('connect') === 'cli');
    // The engine and its workers read these.
    if (backend) process.env['ROTASCOPE_BACKEND'] = backend;
    if (gpu) process.env['ROTASCOPE_GPU'] = gpu;
    if (connect) process.env['ROTASCOPE_CONNECT'] = connect;
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
  .addCommand(queueCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(moveDataCommand())
  .addCommand(doctorCommand());

// Wrong usage is 2 everywhere; commander's own is 1.
for (const command of [program, ...program.commands])
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

await program.parseAsync();
