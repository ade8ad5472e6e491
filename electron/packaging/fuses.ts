/**
 * Electron's fuses as this app sets them: switches in the binary itself that no file beside it can turn back. Read back
 * after every packaging.
 */
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import type { Configuration } from 'electron-builder';

/** Names as electron-builder has them, with what each one shuts. */
export const fuses = {
  /** ELECTRON_RUN_AS_NODE would make the app a Node for anyone's script. */
  runAsNode: false,
  /** NODE_OPTIONS and NODE_EXTRA_CA_CERTS would load code, or trust, from the environment. */
  enableNodeOptionsEnvironmentVariable: false,
  /** --inspect would open a debugger into the main process. */
  enableNodeCliInspectArguments: false,
  /** The archive with the shell is checked against a hash in the binary (macOS, Windows). */
  enableEmbeddedAsarIntegrityValidation: true,
  /** No folder `app` beside the archive is run in its place. */
  onlyLoadAppFromAsar: true,
  enableCookieEncryption: true,
  /** Pages come from the engine, none from file: addresses. */
  grantFileProtocolExtraPrivileges: false,
} as const satisfies Configuration['electronFuses'];

const places: Record<keyof typeof fuses, FuseV1Options> = {
  runAsNode: FuseV1Options.RunAsNode,
  enableNodeOptionsEnvironmentVariable: FuseV1Options.EnableNodeOptionsEnvironmentVariable,
  enableNodeCliInspectArguments: FuseV1Options.EnableNodeCliInspectArguments,
  enableEmbeddedAsarIntegrityValidation: FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
  onlyLoadAppFromAsar: FuseV1Options.OnlyLoadAppFromAsar,
  enableCookieEncryption: FuseV1Options.EnableCookieEncryption,
  grantFileProtocolExtraPrivileges: FuseV1Options.GrantFileProtocolExtraPrivileges,
};

/** Electron carries fuses since version 12. */
export const hasFuses = (electronVersion: string): boolean => Number(electronVersion.split('.')[0]) >= 12;

/**
 * @param executable of the packaged app, or its macOS bundle
 * @returns the fuses that are not as they should be, in words; empty when all are
 */
export async function fuseFaults(executable: string): Promise<string[]> {
  const wire = await getCurrentFuseWire(executable);
  return Object.entries(fuses).flatMap(([name, wanted]) => {
    const state = wire[places[name as keyof typeof fuses]];
    if (state === (wanted ? FuseState.ENABLE : FuseState.DISABLE)) return [];
    return `${name} should be ${wanted ? 'on' : 'off'} and is ${state === undefined ? 'absent' : FuseState[state]}`;
  });
}
