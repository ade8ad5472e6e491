/** How the engine is started: which Node, which entry, which folders. Knows nothing of Electron. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { EngineCommand } from './engineProcess.ts';

/** The folder that holds the engine's sources, from a folder inside it (the shell's bundle). @throws when none does */
export function projectFolderAround(folder: string): string {
  for (let candidate = resolve(folder); ; candidate = dirname(candidate)) {
    if (existsSync(join(candidate, 'main', 'cli.ts'))) return candidate;
    if (candidate === dirname(candidate)) throw new Error(`No main/cli.ts in ${folder} or above. Run npm start there.`);
  }
}

/** Node 24 from npm's `node` package: the engine never runs in Electron's own Node. @throws when it is not installed */
export function engineNode(projectFolder: string): string {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const packages = join(projectFolder, 'node_modules');
  const platformPackage = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const places = [
    join(packages, 'node', 'bin', name),
    join(packages, platformPackage, 'bin', name),
    join(packages, 'node', 'node_modules', platformPackage, 'bin', name),
  ];
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Error(`Node for the engine is missing (${places[0]}). Run npm start, which installs it.`);
  return found;
}

/**
 * @param dataFolder absolute; the engine's own choice when undefined
 * @param rendererFolder the built pages that the engine serves
 */
export function engineCommand(
  projectFolder: string,
  dataFolder: string | undefined,
  rendererFolder: string,
  environment: NodeJS.ProcessEnv,
): EngineCommand {
  const { ELECTRON_RUN_AS_NODE: _, NODE_OPTIONS: __, ...rest } = environment;
  return {
    executable: engineNode(projectFolder),
    arguments: [
      join(projectFolder, 'main', 'cli.ts'),
      'serve',
      '--json',
      '--no-open',
      ...(dataFolder ? ['--data', dataFolder] : []),
    ],
    folder: projectFolder,
    environment: { ...rest, ROTASCOPE_RENDERER: rendererFolder },
  };
}
