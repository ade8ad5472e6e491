/**
 * What goes into a package, laid out in a folder of its own: the shell (for the archive) and the engine (plain files,
 * because plain Node runs it), with the list of the engine's hashes in the shell.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { listEngineFiles } from '../engineFiles.ts';

/** The engine's own files; its packages follow from the lock file. */
const engineParts = [
  'main',
  'resources/sample-study',
  'resources/icons/256x256.png',
  'package.json',
  'README.md',
  'LICENSE',
  'THIRD_PARTY_NOTICES.md',
];
/** Half of the packages' size, read by nobody at run time. */
const unused = /\.(map|d\.ts|d\.mts|d\.cts)$/;

export interface Manifest {
  name: string;
  version: string;
  description: string;
  license: string;
}

export const manifest = JSON.parse(readFileSync(join(repositoryFolder, 'package.json'), 'utf8')) as Manifest;

export interface Staged {
  /** For the archive. */
  app: string;
  /** For the resources. */
  engine: string;
}

/**
 * @param out the built shell and pages: main, preload, renderer
 * @param folder gets two folders, which are replaced
 * @param moduleType of the built shell
 */
export async function stage(out: string, folder: string, moduleType: 'module' | 'commonjs'): Promise<Staged> {
  const [app, engine] = [join(folder, 'app'), join(folder, 'engine')];
  for (const part of [app, engine]) rmSync(part, { recursive: true, force: true });
  for (const part of [...engineParts, ...shippedPackages()]) copy(join(repositoryFolder, part), join(engine, part));
  copy(join(out, 'renderer'), join(engine, 'out', 'renderer'));
  // Of plain Node, and made with the production build alone.
  const report = join(repositoryFolder, 'out', 'report');
  if (existsSync(report)) copy(report, join(engine, 'out', 'report'));
  copy(join(out, 'main', 'main.js'), join(app, 'main', 'main.js'));
  copy(join(out, 'preload'), join(app, 'preload'));
  const { name, version, description, license } = manifest;
  const own = { name, productName: 'Rotascope', version, description, license, author: 'The Rotascope authors' };
  write(join(app, 'package.json'), { ...own, type: moduleType, main: 'main/main.js' });
  write(join(app, 'engineFiles.json'), await listEngineFiles(engine));
  return { app, engine };
}

/** Folders of all packages that the engine needs, those of this platform only, relative. */
function shippedPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(repositoryFolder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path)
    .filter((path) => existsSync(join(repositoryFolder, path)));
}

/** Packages inside a package have entries of their own in the lock file. */
function copy(from: string, to: string): void {
  const inner = join(from, 'node_modules');
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter: (path) => !unused.test(path) && path !== inner,
  });
}

function write(path: string, value: unknown): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`);
}
