/**
 * The engine's address: HTTP for the built interface and WebSocket for everything else, on loopback only.
 * Host and Origin are checked before anything is answered, so that no web page can reach the engine by DNS rebinding.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { serveConnection } from './api/connection.ts';
import type { ConnectionOptions } from './api/connection.ts';
import { serveStatic } from './api/staticFiles.ts';
import { closeCodes, webSocketPath } from './contract/wire.ts';

const loopback = '127.0.0.1';
/** A call carries settings or paths, never weights, bytes. */
const maxMessageBytes = 4 * 1024 * 1024;
/** Sockets still open this long after "stopping" are cut, ms. */
const closeGraceMs = 300;

export interface ServerOptions extends ConnectionOptions {
  /** 0: any free one. */
  port: number;
  /** Folder of the built interface. */
  staticFolder: string;
}

export interface EngineServer {
  port: number;
  origin: string;
  close(): Promise<void>;
}

/**
 * The name is what tells a page of ours from one that a foreign name was bound to this machine for (DNS rebinding). The
 * port is the caller's: behind a tunnel it is the one on their machine.
 */
const loopbackHost = /^(127\.0\.0\.1|localhost):\d{1,5}$/;

/** An absent Origin is the command line; a browser always sends it, and it has to be our own page. */
function isAllowed(request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  if (!host || !loopbackHost.test(host)) return false;
  return origin === undefined || origin === `http://${host}`;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: loopback, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function acceptSockets(server: Server, options: ConnectionOptions): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (!isAllowed(request)) return refuse(socket, '403 Forbidden');
    if (request.url !== webSocketPath) return refuse(socket, '404 Not Found');
    sockets.handleUpgrade(request, socket, head, (webSocket) => serveConnection(webSocket, options));
  });
  return sockets;
}

/**
 * Starts to serve.
 * @throws EADDRINUSE when `port` is not 0 and taken
 */
export async function startServer(options: ServerOptions): Promise<EngineServer> {
  const server = createServer((request, response) => {
    if (!isAllowed(request)) {
      response.writeHead(403).end();
      return;
    }
    serveStatic(options.staticFolder, request.headers.host!, request, response).catch(() => response.destroy());
  });
  const port = await listen(server, options.port);
  const sockets = acceptSockets(server, options);
  const close = async (): Promise<void> => {
    for (const socket of sockets.clients) socket.close(closeCodes.stopping, 'The engine stops');
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const timer = setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
    }, closeGraceMs);
    server.closeIdleConnections();
    await closed;
    clearTimeout(timer);
    sockets.close();
  };
  return { port, origin: `http://${loopback}:${port}`, close };
}
