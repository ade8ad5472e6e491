import type { DesktopBridge } from '../../main/contract/desktop.ts';

/** The desktop, where it is on the engine's machine: only then do its paths mean anything to the engine. */
export function ownDesktop(): DesktopBridge | undefined {
  return window.rotascope?.remote === null ? window.rotascope : undefined;
}
