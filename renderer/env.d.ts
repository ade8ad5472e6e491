/// <reference types="vite/client" />
import type { DesktopBridge } from '../main/contract/desktop.ts';

declare global {
  interface Window {
    /** Absent in a browser. */
    rotascope?: DesktopBridge;
  }
}
