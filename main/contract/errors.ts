/**
 * One error shape for a worker, the wire, the database and the toast.
 * `message` is the fact; `hint` is the next step; `code` is stable and documented here.
 */
export const errorCodes = [
  'CANCELLED',
  'INTERRUPTED',
  'NOT_FOUND',
  'INVALID_REQUEST',
  'UNAUTHORIZED',
  'CONFLICT',
  'CHECKPOINT_INVALID',
  'CHECKPOINT_INCOMPLETE',
  'CHECKPOINT_UNSUPPORTED',
  'SHAPE_MISMATCH',
  'NOT_FINITE',
  'COMPUTE_UNAVAILABLE',
  'COMPUTE_FAILED',
  'OUT_OF_MEMORY',
  'DISK_FULL',
  'WORKER_CRASHED',
  'ENGINE_LOCKED',
  /** The database is damaged or newer than this program; it is left as it is. */
  'STORE_INVALID',
  'BACKEND_CHANGED',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface AppErrorShape {
  code: ErrorCode;
  message: string;
  hint?: string | undefined;
  details?: Record<string, unknown> | undefined;
  cause?: string | undefined;
}

export class AppError extends Error {
  override name = 'AppError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
  toJSON(): AppErrorShape {
    return toErrorShape(this);
  }
}

/** Any thrown value as the one shape; unknown errors become INTERNAL and keep their stack in `cause`. */
export function toErrorShape(error: unknown): AppErrorShape {
  if (error instanceof AppError) {
    const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined;
    return { code: error.code, message: error.message, hint: error.hint, details: error.details, cause };
  }
  if (error instanceof Error) return { code: 'INTERNAL', message: error.message, cause: error.stack };
  return { code: 'INTERNAL', message: String(error) };
}
