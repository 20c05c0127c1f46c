import express, { type Application } from 'express';

/** The settings of an app that Express itself reads while a response is written. */
const OWN_SETTINGS: ReadonlySet<string> = new Set([
  'env',
  'etag',
  'etag fn',
  'json escape',
  'json replacer',
  'json spaces',
  'jsonp callback name',
  'query parser fn',
  'subdomain offset',
  'trust proxy fn',
]);

/** An app in the place of one that is not known yet. */
export interface StandInApp {
  readonly app: Application;
  /** Whether something was asked of it that only the real app can tell. */
  wasAsked(): boolean;
}

/**
 * An app with Express's defaults, for attempts that go on after a restart before a router's app is
 * known. Most handlers never look at their app. For one that does, every look beyond the defaults throws
 * and is noted, so that the handler can be called again with the real app.
 */
export function standInApp(): StandInApp {
  let asked = false;
  const refuse = (what: string): never => {
    asked = true;
    throw new Error(`${what} was used before the app was known.`);
  };
  const real = express();
  const setting =
    (method: 'get' | 'enabled' | 'disabled') =>
    (name: string): unknown =>
      OWN_SETTINGS.has(name) ? real[method](name) : refuse(`The app's "${name}"`);
  const settings = new Map<PropertyKey, unknown>([
    ['get', setting('get')],
    ['enabled', setting('enabled')],
    ['disabled', setting('disabled')],
  ]);
  const app: Application = new Proxy(real, {
    get(target, key, receiver) {
      if (key === 'request' || key === 'response') return messagePrototype(receiver, target[key]);
      if (typeof key === 'symbol' || key === 'then') return Reflect.get(target, key);
      return settings.get(key) ?? refuse(`app.${key}`);
    },
  });
  return { app, wasAsked: () => asked };
}

/** The prototype of the stand-in's messages: their `app` is the stand-in, not what is behind it. */
function messagePrototype(app: unknown, prototype: object): object {
  return Object.create(prototype, { app: { value: app, configurable: true, writable: true } });
}
