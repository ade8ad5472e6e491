/** The table of calls: composed from one group a file, complete and without doubles, or the engine does not start. */
import { calls } from '../contract/api.ts';
import type { CallAnswer, CallName, CallRequest, EngineFunctions } from '../contract/api.ts';
import { AppError, toErrorShape } from '../contract/errors.ts';
import type { Logger } from '../logging/log.ts';

export type Handler<N extends CallName> = (request: CallRequest<N>) => CallAnswer<N> | Promise<CallAnswer<N>>;
export type Handlers = { [N in CallName]: Handler<N> };
export type HandlerGroup = Partial<Handlers>;

type AnyHandler = (request: unknown) => unknown;

/** @throws TypeError when a call has two handlers, or none */
export function composeHandlers(groups: HandlerGroup[]): Map<string, AnyHandler> {
  const handlers = new Map<string, AnyHandler>();
  for (const group of groups)
    for (const [name, handler] of Object.entries(group)) {
      if (handlers.has(name)) throw new TypeError(`Two handlers for the call ${name}.`);
      if (!Object.hasOwn(calls, name)) throw new TypeError(`A handler for ${name}, which is not in the contract.`);
      handlers.set(name, handler as AnyHandler);
    }
  const missing = Object.keys(calls).filter((name) => !handlers.has(name));
  if (missing.length > 0) throw new TypeError(`No handler for the call ${missing.join(', ')}.`);
  return handlers;
}

/** "rl.iterations: expected number": the first thing that is wrong with a request. */
function firstIssue(error: { issues: { path: PropertyKey[]; message: string }[] }): string {
  const issue = error.issues[0];
  if (!issue) return 'not understood';
  const message = issue.message.replace(/\.$/, '');
  return issue.path.length > 0 ? `${issue.path.map(String).join('.')}: ${message}` : message;
}

/**
 * The one function of the wire: checks the request, calls, and answers with the value or the real error.
 * @param checkAnswers also check what handlers return against the contract (tests)
 */
export function makeCall(
  handlers: Map<string, AnyHandler>,
  log: Logger,
  checkAnswers: boolean,
): EngineFunctions['call'] {
  return async (name, input) => {
    try {
      const handler = handlers.get(name);
      if (!handler || !Object.hasOwn(calls, name))
        throw new AppError('INVALID_REQUEST', `There is no call "${name}".`, {
          hint: 'The page and the engine are of different versions: reload the page.',
        });
      const schema = calls[name as CallName];
      const request = schema.input.safeParse(input ?? {});
      if (!request.success)
        throw new AppError('INVALID_REQUEST', `${name}: ${firstIssue(request.error)}.`, {
          hint: 'Correct the value and try again.',
          details: { issues: request.error.issues },
        });
      const answer = await handler(request.data);
      if (checkAnswers) schema.output.parse(answer);
      return { ok: true, answer };
    } catch (error) {
      const shape = toErrorShape(error);
      if (shape.code === 'INTERNAL') log.error({ call: name, error: shape }, 'A call failed');
      return { ok: false, error: shape };
    }
  };
}
