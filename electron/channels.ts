/** Names of the messages between the preload script and the shell. */
export const channels = {
  menu: 'rotascope:menu',
  openFolder: 'rotascope:openFolder',
  openFiles: 'rotascope:openFiles',
  saveFile: 'rotascope:saveFile',
  fillMenu: 'rotascope:fillMenu',
  saveFolder: 'rotascope:saveFolder',
  connectRemote: 'rotascope:connectRemote',
  leaveRemote: 'rotascope:leaveRemote',
  retryRemote: 'rotascope:retryRemote',
  recentRemotes: 'rotascope:recentRemotes',
  forgetRemote: 'rotascope:forgetRemote',
  tunnel: 'rotascope:tunnel',
} as const;
