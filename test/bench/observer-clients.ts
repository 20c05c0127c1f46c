import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ServerProcess } from './server-process.ts';

/** Many open streams of one URL, as bare sockets, so that the clients cost little. */
export class ObserverClients implements Disposable {
  readonly #sockets: Socket[] = [];
  readonly #origin: URL;
  readonly #path: string;

  constructor(origin: string, path: string) {
    this.#origin = new URL(origin);
    this.#path = path;
  }

  /** Opens `count` streams, a hundred at a time; resolves when each has its first bytes. */
  async open(count: number): Promise<void> {
    const { port } = this.#origin;
    for (let left = count; left > 0; left -= 100) {
      const opened = Array.from({ length: Math.min(100, left) }, async () => {
        const socket = connect(Number(port), '127.0.0.1');
        this.#sockets.push(socket);
        socket.write(`GET ${this.#path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`);
        await once(socket, 'data');
      });
      await Promise.all(opened);
    }
  }

  /** Triggers one event; resolves to the ms until the last client has it. */
  async fanOut(trigger: () => Promise<unknown>): Promise<number> {
    const startedAt = performance.now();
    const received = this.#sockets.map((socket) => once(socket, 'data'));
    await trigger();
    await Promise.all(received);
    return performance.now() - startedAt;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** The path of the stream to observe: of the raw server, or of an intent that is submitted for it. */
export async function observedPath(server: ServerProcess, mode: string): Promise<string> {
  if (mode === 'raw') return '/observe';
  const response = await fetch(`${server.origin}/op`, { method: 'POST' });
  return `${response.headers.get('location')}/events`;
}
