/** Makes the desktop app: installers for the system that it runs on, or the unpacked app. */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, Platform } from 'electron-builder';
import type { Configuration } from 'electron-builder';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { appId } from '../appId.ts';
import { fuseFaults, fuses, hasFuses } from './fuses.ts';
import { manifest, stage } from './stage.ts';

export interface PackageOptions {
  /** The built shell and pages. */
  out: string;
  moduleType: 'module' | 'commonjs';
  /** Gets everything that is made; nothing of it is kept in the repository. */
  folder: string;
  electronVersion: string;
  /** Folder of an unpacked Electron of that version. */
  electronDist: string;
  /** The unpacked app only. */
  unpacked: boolean;
}

export interface Packaged {
  /** Installers, or the unpacked app's folder. */
  artifacts: string[];
  unpackedFolder: string;
  /** What was read back: faults, or why nothing could be. */
  fuses: { faults: string[] } | { notRun: string };
}

const icons = join(repositoryFolder, 'resources', 'icons');

function configuration(options: PackageOptions, app: string, engine: string): Configuration {
  return {
    appId,
    productName: 'Rotascope',
    copyright: 'MIT licence',
    directories: { app, output: join(options.folder, 'dist'), buildResources: icons },
    electronVersion: options.electronVersion,
    electronDist: options.electronDist,
    asar: true,
    // False: the archive has no packages. The shell is one file, and the engine brings its own.
    beforeBuild: () => Promise.resolve(false),
    publish: null,
    ...(hasFuses(options.electronVersion) ? { electronFuses: fuses } : {}),
    // Copied here and not by file patterns: the list of hashes has every file.
    afterPack: (context) => {
      const resources = context.packager.getResourcesDir(context.appOutDir);
      cpSync(engine, join(resources, 'engine'), { recursive: true });
      rmSync(join(resources, 'default_app.asar'), { force: true }); // Of an Electron that was at hand.
      return Promise.resolve();
    },
    fileAssociations: [
      { ext: 'safetensors', name: 'Model weights', description: 'Model weights (safetensors)', role: 'Viewer' },
      { ext: 'rotascope', name: 'Rotascope study settings', description: 'Settings of a study (YAML)', role: 'Editor' },
    ],
    linux: {
      target: ['AppImage', 'deb'],
      executableName: 'rotascope',
      category: 'Science',
      icon: icons,
      maintainer: 'The Rotascope authors <rotascope@localhost>',
      synopsis: manifest.description,
    },
    mac: { target: ['dmg'], category: 'public.app-category.education', icon: join(icons, 'icon.icns') },
    win: { target: ['nsis'], icon: join(icons, 'icon.ico') },
    nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
  };
}

/** @throws when a part is missing, or electron-builder fails: its own words */
export async function packageApp(options: PackageOptions): Promise<Packaged> {
  const { app, engine } = await stage(options.out, options.folder, options.moduleType);
  const artifacts = await build({
    projectDir: repositoryFolder,
    targets: Platform.current().createTarget(options.unpacked ? 'dir' : null),
    config: configuration(options, app, engine),
    publish: 'never',
  });
  const dist = join(options.folder, 'dist');
  const name = readdirSync(dist).find((entry) => /unpacked$/.test(entry) || /^mac/.test(entry)) ?? '';
  const unpackedFolder = join(dist, name);
  return { artifacts: options.unpacked ? [unpackedFolder] : artifacts, unpackedFolder, fuses: await readFuses() };

  async function readFuses(): Promise<Packaged['fuses']> {
    const { electronVersion } = options;
    if (!hasFuses(electronVersion)) return { notRun: `Electron ${electronVersion} carries no fuses.` };
    const executable = { darwin: 'Rotascope.app', win32: 'Rotascope.exe' }[process.platform as string] ?? 'rotascope';
    return { faults: await fuseFaults(join(unpackedFolder, executable)) };
  }
}
