import type { DurableApiOptions, IntentRecord, OperationOptions } from '@durable-api/core';
import type { DurableRequest, StoredRequest } from './durable-request.ts';

/** A function whose parameter may be declared as the platform's own request. */
type Hook<Values extends readonly unknown[], Result> = { hook(...values: Values): Result }['hook'];

/** The options of `DurableApiModule.forRoot`. */
export interface DurableApiModuleOptions extends Omit<
  DurableApiOptions<DurableRequest>,
  'identify' | 'authorize'
> {
  /** Names the tenant or user that a request acts for; called after the guards. Default: one for all. */
  readonly identify?: Hook<[request: DurableRequest], string | Promise<string>> | undefined;
  /** Has the last word on who may see or cancel an intent of the right owner. Default: yes. */
  readonly authorize?:
    | Hook<[request: DurableRequest, intent: IntentRecord], boolean | Promise<boolean>>
    | undefined;
  /**
   * What else of a request its attempts need, such as what a guard left on it. A JSON object; stored
   * with the intent.
   */
  readonly capture?: Hook<[request: DurableRequest], Readonly<Record<string, unknown>>> | undefined;
  /**
   * Gives what `capture` returned to the request that an attempt has. Default: its members become
   * members of the request.
   */
  readonly restore?:
    | Hook<[captured: Readonly<Record<string, unknown>>, request: StoredRequest], void>
    | undefined;
  /** How long `app.close()` lets attempts go on before their leases are given back. Default 10,000 ms. */
  readonly shutdownGraceMs?: number | undefined;
}

/** The options of `@Durable()`. */
export interface DurableOptions extends OperationOptions<DurableRequest> {
  /** The operation's name; must survive deploys. Default `Controller.method`. */
  readonly name?: string | undefined;
  /**
   * Stores the values of the app's own parameter decorators as JSON. Without it such a parameter is
   * refused at boot, since its decorator may return anything. Default false.
   */
  readonly storeCustomParameters?: boolean | undefined;
}
