import type { Application } from 'express';
import { MessageFactory } from '../attempt/message-factory.ts';

/** The apps that the operations of one API were seen to be mounted in. */
export class KnownApps {
  #first: Application | null;
  readonly #seen: PromiseWithResolvers<Application> = Promise.withResolvers();

  /** `given` is the app that the user named, if any. */
  constructor(given: Application | undefined) {
    this.#first = given ?? null;
    if (given !== undefined) this.#seen.resolve(given);
  }

  get first(): Application | null {
    return this.#first;
  }

  /** Resolves to the first app, as soon as there is one. */
  get seen(): Promise<Application> {
    return this.#seen.promise;
  }

  note(app: Application): void {
    this.#first ??= app;
    this.#seen.resolve(app);
  }
}

/**
 * The app that an operation belongs to. Known from the mount when that is `app.use`; when it is a
 * router's, from the first request, and until then taken to be the app of any other operation.
 */
export class OperationApp {
  readonly #apps: KnownApps;
  #own: MessageFactory | null = null;
  #assumed: MessageFactory | null = null;

  constructor(apps: KnownApps) {
    this.#apps = apps;
  }

  note(app: Application): void {
    if (this.#own?.app === app) return;
    this.#own = new MessageFactory(app);
    this.#apps.note(app);
  }

  /** What makes requests and responses of the app; null while no app is known. */
  get messages(): MessageFactory | null {
    const { first } = this.#apps;
    if (this.#own !== null || first === null) return this.#own;
    return (this.#assumed ??= new MessageFactory(first));
  }

  /** Resolves as soon as an app is known. */
  async whenKnown(): Promise<MessageFactory> {
    const app = await this.#apps.seen;
    return this.messages ?? new MessageFactory(app);
  }
}
