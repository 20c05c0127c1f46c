import { handOver } from './agents/hand-over.ts';
import { keepAlive } from './clock.ts';
import type { Operation, OperationDefinition } from './engine/operation.ts';
import { Engine } from './engine/engine.ts';
import { DurableError } from './errors.ts';
import { wantsStream } from './http/accept.ts';
import { cancel } from './http/cancel.ts';
import type { PlainReply, PlainRequest } from './http/exchange.ts';
import type { Exchange } from './http/handlers.ts';
import { events, result, snapshot, streamOf } from './http/observe.ts';
import { output } from './http/output.ts';
import { errorReply } from './http/reply.ts';
import { retry } from './http/retry.ts';
import { findRoute, type Route } from './http/routes.ts';
import { comeBackReply } from './http/stream.ts';
import { signal } from './http/signal.ts';
import { submit } from './http/submit.ts';
import { mintTicket, redeemTicket, ticketOf, TICKET_USE } from './http/ticket.ts';
import { Intents } from './intents/intents.ts';
import type { Ledger } from './ledger/ledger.ts';
import type {
  DurableApiOptions,
  OperationOptions,
  ResolvedOperationOptions,
  ResolvedOptions,
} from './options.ts';
import { checkOwner } from './owner.ts';
import { VERSION_MARK } from './state/stored-operation.ts';
import { checkTickInputs } from './schedule/tick-starter.ts';
import { resolveOperationOptions, resolveOptions } from './resolve-options.ts';
import { webhookOperation, webhookOperationOptions } from './webhooks/operation.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** How to stop. */
export interface StopOptions {
  /** How long attempts may go on before their leases are given back. Default 10,000 ms. */
  readonly graceMs?: number;
}

/**
 * What all adapters stand on: declares operations and answers requests to them. `Source` is the
 * framework's request.
 */
export class DurableApi<Source = unknown> {
  /** Submits, looks, lists, cancels and observes from code. */
  readonly intents: Intents;
  /** For packages that keep intents of kinds of their own, such as a gateway. */
  readonly ledger: Ledger;
  readonly #options: ResolvedOptions;
  readonly #hooks: Pick<DurableApiOptions<Source>, 'identify' | 'authorize'>;
  readonly #engine: Engine;
  readonly #ticketUse: Operation | null;
  readonly #webhooks: Webhooks | null;

  /** @throws DurableError `options_invalid` naming each wrong option. */
  constructor(options: DurableApiOptions<Source>) {
    this.#options = resolveOptions(options);
    this.#hooks = options;
    this.#engine = new Engine(this.#options);
    const { webhooks } = this.#options;
    this.#webhooks = webhooks === null ? null : new Webhooks(webhooks);
    this.#ticketUse = this.#options.tickets === null ? null : this.declare(TICKET_USE);
    if (this.#webhooks !== null) this.#declareWebhooks(this.#webhooks);
    this.intents = new Intents(this.#engine, this.#options, this.#webhooks);
    this.ledger = this.#engine.ledger;
  }

  /** The largest response of a handler, so that an adapter can stop gathering a larger one. */
  get maxResultBytes(): number {
    return this.#options.limits.maxResultBytes;
  }

  /** Whether `POST P/{id}/ticket` is offered: the option `tickets` is given. */
  get hasTickets(): boolean {
    return this.#ticketUse !== null;
  }

  /**
   * Declares an operation. In the next tick the engine starts.
   * @throws DurableError `operation_duplicate`, `operation_unnamed` or `options_invalid`.
   */
  declare(definition: OperationDefinition, options: OperationOptions<Source> = {}): Operation {
    const { name } = definition;
    if (!/^[\x21-\x7e][\x20-\x7e]{0,199}$/.test(name) || name.includes(VERSION_MARK)) {
      throw new DurableError(
        'operation_unnamed',
        `An operation needs a name that stays the same across deploys, received "${name}". ` +
          'Name the handler function, or pass { name: "reports.generate" }: up to 200 printable ASCII ' +
          `characters, without "${VERSION_MARK}".`,
      );
    }
    const resolved = resolveOperationOptions(name, options, this.#options.defaults);
    return this.#declare(definition, { ...resolved, webhook: this.#webhookOf(name, resolved) });
  }

  #declare(definition: OperationDefinition, options: ResolvedOperationOptions): Operation {
    const run: Operation['run'] = (input, context) => definition.run(input, context);
    const operation: Operation = {
      name: definition.name,
      run: options.agent === null ? run : handOver(run, options.agent),
      compose: (parts) => definition.compose?.(parts) ?? {},
      options,
    };
    checkTickInputs(operation, this.#options.limits);
    this.#engine.declare(operation);
    return operation;
  }

  /** Without the defaults of the app's own operations, which are not meant for it. */
  #declareWebhooks(webhooks: Webhooks): void {
    const definition = webhookOperation(this.#engine, webhooks);
    const options = webhookOperationOptions(webhooks.options);
    this.#declare(definition, resolveOperationOptions(definition.name, options));
  }

  #webhookOf(
    name: string,
    { webhook }: ResolvedOperationOptions,
  ): ResolvedOperationOptions['webhook'] {
    if (webhook === null) return null;
    const refuse = (why: string): DurableError =>
      new DurableError(
        'options_invalid',
        `Invalid options of operation "${name}":\n  webhook: ${why}`,
      );
    if (this.#webhooks === null)
      throw refuse('needs the option webhooks: { secret, allow } of durableApi');
    if (typeof webhook !== 'string') return webhook;
    try {
      return this.#webhooks.check(webhook);
    } catch (error) {
      throw refuse(error instanceof Error ? error.message : String(error));
    }
  }

  /** Resolves when the store is open; rejects with the reason why it is not. */
  ready(): Promise<void> {
    return this.#engine.ready();
  }

  /**
   * Answers a request; null when it is none of the operation's, so that the app's own routes get it.
   * Never rejects: errors are answers too.
   */
  async handle(operation: Operation, request: PlainRequest<Source>): Promise<PlainReply | null> {
    return this.#answer(request, async (route) => {
      const opened = await this.#openByTicket(request, route);
      if (opened !== null || (route.name === 'ticket' && this.#ticketUse === null)) return opened;
      const owner = await this.#ownerOf(request.source);
      return dispatch({ setup: this.#setup, operation, request, owner }, route);
    });
  }

  /**
   * Answers a request for the events of an intent that bears a ticket; null for any other request.
   * Adapters offer it to be mounted in front of the app's authentication, which `EventSource` cannot pass.
   */
  async handleTicket(request: PlainRequest<Source>): Promise<PlainReply | null> {
    if (ticketOf(request) === null) return null;
    return this.#answer(request, (route) => this.#openByTicket(request, route));
  }

  get #setup(): Exchange<Source>['setup'] {
    return {
      engine: this.#engine,
      options: this.#options,
      authorize: this.#hooks.authorize,
      webhooks: this.#webhooks,
    };
  }

  async #openByTicket(request: PlainRequest<Source>, route: Route): Promise<PlainReply | null> {
    const { tickets } = this.#options;
    const ticket = route.name === 'events' ? ticketOf(request) : null;
    if (tickets === null || this.#ticketUse === null || route.name !== 'events' || ticket === null)
      return null;
    const { intentId } = route;
    const record = await redeemTicket(this.#engine, this.#ticketUse, ticket, intentId, tickets);
    return streamOf({ setup: this.#setup, request }, record);
  }

  async #answer(
    request: PlainRequest<Source>,
    work: (route: Route) => Promise<PlainReply | null>,
  ): Promise<PlainReply | null> {
    try {
      const route = findRoute(request.method, request.subPath);
      return route === null ? null : await work(route);
    } catch (error) {
      const { logger, exposeErrors } = this.#options;
      const reply = errorReply(error, logger, exposeErrors);
      const isObserver = request.method === 'GET' && wantsStream(request.headers.accept);
      const isTransient = reply.status === 503 || reply.status === 507;
      return isObserver && isTransient ? comeBackReply(this.#engine.hub.retryMs()) : reply;
    }
  }

  async #ownerOf(source: Source): Promise<string> {
    const { identify } = this.#hooks;
    if (identify === undefined) return '';
    const owner: unknown = await identify(source);
    if (typeof owner === 'string' && owner !== '') return checkOwner(owner);
    const message = 'identify() names no owner for this request. Authenticate the caller first.';
    throw new DurableError('owner_forbidden', message);
  }

  /**
   * Takes no new work, tells observers when to come back, lets attempts end, hands the leases of the
   * rest back so that another process has them at once, and closes the store.
   */
  stop({ graceMs = 10_000 }: StopOptions = {}): Promise<void> {
    // A process that only waits for a handler would end before its leases are given back.
    return keepAlive(this.#engine.stop(graceMs));
  }

  /** Stops, so that `await using` works. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function dispatch<Source>(exchange: Exchange<Source>, route: Route): Promise<PlainReply> {
  switch (route.name) {
    case 'submit':
      return submit(exchange);
    case 'snapshot':
      return snapshot(exchange, route.intentId);
    case 'events':
      return events(exchange, route.intentId);
    case 'result':
      return result(exchange, route.intentId);
    case 'output':
      return output(exchange, route.intentId);
    case 'cancel':
      return cancel(exchange, route.intentId);
    case 'retry':
      return retry(exchange, route.intentId);
    case 'signal':
      return signal(exchange, route.intentId, route.signal);
    case 'ticket':
      return mintTicket(exchange, route.intentId);
  }
}
