/** The app's name towards the systems: macOS's bundle, Windows' taskbar and notifications. */
export const appId = 'local.rotascope.desktop';
