/** What the commands end with; also shown by --help. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** import: some paths were rejected. */
  partly: 3,
  /** study: somebody else cancelled it, or it was interrupted; the same command resumes it. */
  stopped: 4,
  /** Ctrl+C. */
  interrupted: 130,
} as const;
