import { connect, type Socket } from 'node:net';

/** One agent as its clients are: a stream that ends after a batch, and the next one from there. */
interface Listener {
  readonly socket: Socket;
  readonly address: string;
  since: number;
  text: string;
}

/** Many agents that listen at a gateway, each at an address of its own, as bare sockets that cost little. */
export class ListeningAgents implements Disposable {
  readonly #port: number;
  readonly #listeners: Listener[] = [];
  readonly #onIntent: (intentId: string) => void;

  /** `onIntent` is called with each intent that an agent is sent. */
  constructor(origin: string, onIntent: (intentId: string) => void) {
    this.#port = Number(new URL(origin).port);
    this.#onIntent = onIntent;
  }

  /** The addresses of those that listen. */
  get addresses(): readonly string[] {
    return this.#listeners.map(({ address }) => address);
  }

  /** Adds agents, a hundred at a time; resolves when each has the head of its stream. */
  async add(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 100) {
      await Promise.all(Array.from({ length: Math.min(100, left) }, () => this.#add()));
    }
  }

  #add(): Promise<void> {
    const socket = connect(this.#port, '127.0.0.1');
    const address = `bench/agents/agent-${this.#listeners.length}`;
    const listener: Listener = { socket, address, since: 0, text: '' };
    this.#listeners.push(listener);
    this.#ask(listener);
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => {
        resolve();
        this.#read(listener, chunk.toString());
      });
    });
  }

  #ask({ socket, address, since }: Listener): void {
    const path = `/v1/agents/${address}/intents/stream?since=${since}&wait_seconds=60`;
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  }

  #read(listener: Listener, text: string): void {
    listener.text += text;
    // The last chunk of an answer.
    if (!listener.text.endsWith('\r\n0\r\n\r\n')) return;
    for (const [, id, intentId] of listener.text.matchAll(
      /^id: (\d+)\n.*\ndata: \{"intent_id":"([^"]*)"/gm,
    )) {
      listener.since = Number(id);
      this.#onIntent(intentId ?? '');
    }
    listener.text = '';
    this.#ask(listener);
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#listeners) socket.destroy();
  }
}
