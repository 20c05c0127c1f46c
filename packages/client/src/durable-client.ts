/// <reference lib="esnext.disposable" preserve="true" />
import type { Answer } from './answer.ts';
import { Operation } from './operation.ts';
import type { InputOf, ResultOf, ValueSchema } from './operation-types.ts';
import {
  resolveOptions,
  usage,
  type ClientOptions,
  type ResolvedClientOptions,
} from './options.ts';
import { submit, type SubmitOptions } from './submit.ts';

/** How to find an operation again. */
export interface OperationOptions<R = unknown> {
  /** The path that it was submitted to; needed with a bare intent id. */
  readonly path?: string | undefined;
  /** Checks and types the result, for instance a zod schema. */
  readonly result?: ValueSchema<R> | undefined;
}

/**
 * Submits and follows durable operations of one server. It works the same in Node, browsers, Deno, Bun
 * and edge runtimes. Make one and share it: it keeps connections.
 */
export class DurableClient {
  /** For what is built upon the client. */
  protected readonly resolved: ResolvedClientOptions;
  readonly #memory = { streamsBlocked: false };

  /** @throws DurableClientError `usage` */
  constructor(baseUrl: string | URL, options: ClientOptions = {}) {
    this.resolved = resolveOptions(baseUrl, options);
  }

  /**
   * Submits `body` as JSON to the operation at `path`, and resolves once the server has stored it.
   * `T` types body and result: the handler's type, or `{ input, result }`.
   * @throws DurableClientError with the server's code, for instance `idempotency_key_reused`.
   */
  async submit<T = unknown, R = ResultOf<T>>(
    path: string,
    body: InputOf<T>,
    options: SubmitOptions<R> = {},
  ): Promise<Operation<R>> {
    const url = this.#resolve(path);
    const { intentId, ended } = await submit(this.resolved, url, body, options);
    return this.#attach(withId(url, intentId), options.result, ended);
  }

  /**
   * A handle for what was submitted before, perhaps by another process: by its URL or path, as
   * `operation.url` said, or by its intent id and the operation's path. Nothing is sent.
   * @throws DurableClientError `usage` when a path is missing, or the URL is of another server.
   */
  operation<T = unknown, R = ResultOf<T>>(
    reference: string,
    { path, result }: OperationOptions<R> = {},
  ): Operation<R> {
    if (/[/:]/.test(reference)) return this.#attach(bare(this.#resolve(reference)), result);
    if (path === undefined) {
      throw usage(
        `Where is the operation "${reference}"? Pass the path that it was submitted to, ` +
          'client.operation(id, { path: "/reports" }), or keep operation.url instead of the id.',
      );
    }
    return this.#attach(withId(this.#resolve(path), reference), result);
  }

  /** Lets go of connections; resolves when what is under way, streams included, has ended. */
  async close(): Promise<void> {
    await this.resolved.close();
  }

  /** Closes, so that `await using` works. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #attach<R>(url: string, schema: ValueSchema<R> | undefined, ended?: Answer): Operation<R> {
    const [options, memory] = [this.resolved, this.#memory];
    return new Operation({ options, memory, url, schema, ended });
  }

  /** The URL of a path below the base URL. Credentials must not go to other servers. */
  #resolve(path: string): string {
    const { baseUrl } = this.resolved;
    const isWhole = /^https?:\/\//i.test(path);
    const url = URL.parse(isWhole ? path : `${baseUrl}/${path.replace(/^\/+/, '')}`);
    if (url === null || url.origin !== new URL(baseUrl).origin) {
      throw usage(`${path} is not on ${baseUrl}. Make another DurableClient for another server.`);
    }
    return url.href;
  }
}

/** A URL without query and trailing slash, to which more can be added. */
function bare(operationUrl: string): string {
  const { origin, pathname } = new URL(operationUrl);
  return origin + pathname.replace(/\/+$/, '');
}

function withId(operationUrl: string, intentId: string): string {
  return `${bare(operationUrl)}/${encodeURIComponent(intentId)}`;
}
