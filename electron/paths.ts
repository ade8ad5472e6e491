/** Files and folders that a start was given on its command line. Knows nothing of Electron. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param args without the executable
 * @param folder that relative paths start from: a second start has its own
 * @param without folders that stand in the arguments and are not to be opened: the app's own, the data folder
 */
export function pathsToOpen(args: readonly string[], folder: string, without: readonly string[]): string[] {
  return args
    .filter((argument) => !argument.startsWith('-'))
    .map((argument) => pathOfArgument(argument, folder))
    .filter((path) => path !== '' && !without.includes(path) && existsSync(path));
}

/** Linux desktops may give a double-clicked file as a file: address. */
function pathOfArgument(argument: string, folder: string): string {
  if (!/^file:/i.test(argument)) return resolve(folder, argument);
  try {
    return fileURLToPath(argument);
  } catch {
    return ''; // On another host, or no address after all.
  }
}

/** `--data DIR` or `--data=DIR`, absolute; undefined when it is not given. */
export function dataFolderOption(args: readonly string[], folder: string): string | undefined {
  const index = args.indexOf('--data');
  const value = index >= 0 ? args[index + 1] : args.find((argument) => argument.startsWith('--data='))?.slice(7);
  return value ? resolve(folder, value) : undefined;
}
