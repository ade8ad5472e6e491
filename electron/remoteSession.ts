/**
 * The engine of another machine in place of this one's: at an address whose tunnel somebody keeps open, or over an SSH
 * connection of our own. This machine's engine goes on meanwhile. Knows nothing of Electron.
 */
import { remoteTargetSchema } from '../main/contract/desktop.ts';
import type { RemoteTarget, SshTarget, TunnelFault } from '../main/contract/desktop.ts';
import { AppError, toErrorShape } from '../main/contract/errors.ts';
import type { AppErrorShape } from '../main/contract/errors.ts';
import { addressWithToken, parseEngineAddress } from '../main/contract/wire.ts';
import { connectEngine } from './engineConnection.ts';
import { checkPage } from './remotePage.ts';
import type { RemoteAddress } from './remotePage.ts';
import { SshEngine } from './sshEngine.ts';

interface Remote {
  /** As the user named the machine. */
  name: string;
  engine: RemoteAddress;
  /** Null where the tunnel is not ours. */
  ssh: SshEngine | null;
  fault: TunnelFault;
}

export interface RemoteListeners {
  /** Another engine than before is to be shown: of that machine, or (null) of this one. */
  onSwitch(name: string | null): void;
  /** The tunnel's state has changed; its address may have, too. */
  onTunnel(fault: TunnelFault): void;
  /** Connected over SSH. */
  onConnected(target: SshTarget): void;
  /** Origin of this machine's engine. */
  ownOrigin(): string;
}

export class RemoteSession {
  private shown: Remote | null = null;
  private attempt: SshEngine | null = null;
  private readonly listeners: RemoteListeners;

  constructor(listeners: RemoteListeners) {
    this.listeners = listeners;
  }

  /** Null while this machine's engine is shown. */
  get current(): Readonly<Remote> | null {
    return this.shown;
  }

  /** @returns why not; null: it is shown now */
  async connect(given: unknown): Promise<AppErrorShape | null> {
    try {
      const target = remoteTargetSchema.safeParse(given);
      if (!target.success) {
        const issue = target.error.issues[0];
        throw new AppError('INVALID_REQUEST', `This name or command ${issue?.message ?? 'cannot be used'}.`);
      }
      await this.connectTo(target.data);
      return null;
    } catch (error) {
      return toErrorShape(error);
    }
  }

  /** Gives up an attempt, or goes back to this machine's engine. */
  leave(): void {
    this.close();
    if (!this.shown) return;
    this.shown = null;
    this.listeners.onSwitch(null);
  }

  retry(): void {
    this.shown?.ssh?.retry();
  }

  /** Ends what we have opened. */
  close(): void {
    this.attempt?.close();
    this.attempt = null;
    this.shown?.ssh?.close();
  }

  private async connectTo(target: RemoteTarget): Promise<void> {
    this.close();
    if ('address' in target) {
      const engine = await standingEngine(target.address, this.listeners.ownOrigin());
      return this.show({ name: engine.origin.replace('http://', ''), engine, ssh: null, fault: null });
    }
    const ssh: SshEngine = new SshEngine(target, {
      onUp: (engine) => this.setTunnel(ssh, { engine, fault: null }),
      onDown: (fault) => this.setTunnel(ssh, { fault }),
    });
    this.attempt = ssh;
    const engine = await ssh.open();
    this.attempt = null;
    this.listeners.onConnected(target);
    this.show({ name: target.host, engine, ssh, fault: null });
  }

  private show(remote: Remote): void {
    this.shown = remote;
    this.listeners.onSwitch(remote.name);
  }

  private setTunnel(ssh: SshEngine, change: Partial<Remote>): void {
    if (this.shown?.ssh !== ssh) return;
    this.shown = { ...this.shown, ...change };
    this.listeners.onTunnel(this.shown.fault);
  }
}

/** @throws AppError it is no address, of this machine's engine, or nobody who speaks our contract answers */
async function standingEngine(text: string, ownOrigin: string): Promise<RemoteAddress> {
  const { origin, token } = parseEngineAddress(text);
  if (origin === ownOrigin)
    throw new AppError('INVALID_REQUEST', "This is the address of this machine's own engine.", {
      hint: 'Paste the one that `rotascope serve` printed on the other machine.',
    });
  await checkPage(origin, origin.replace('http://', ''));
  const connection = await connectEngine(
    { origin, token },
    () => undefined,
    () => undefined,
  ).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    const hint = 'Paste the address anew: `rotascope serve` prints it there.';
    throw new AppError('UNAUTHORIZED', 'The engine there does not know this token.', { hint, cause: error });
  });
  connection.close();
  return { origin, token, address: addressWithToken(origin, token) };
}
