import { memoryStore } from '@durable-api/core';
import express5, { type Application } from 'express';
import express4 from 'express4';
import { afterEach } from 'vitest';
import { durableApi, type ExpressDurableApi, type ExpressDurableApiOptions } from '../src/index.ts';
import type { ExpressVersion } from './serve.ts';

/** The versions that the adapter supports. */
export const VERSIONS: readonly (readonly [name: string, express: ExpressVersion])[] = [
  ['Express 5', express5],
  ['Express 4', express4],
];

/** Makes apps with a durable API in memory, and stops it after each test. */
export function appMaker(): (
  express: ExpressVersion,
  options?: Partial<ExpressDurableApiOptions>,
) => { app: Application; api: ExpressDurableApi } {
  const apis: ExpressDurableApi[] = [];
  afterEach(async () => {
    await Promise.all(apis.splice(0).map((api) => api.stop({ graceMs: 0 })));
  });
  return (express, options = {}) => {
    const api = durableApi({ store: memoryStore(), random: () => 0, ...options });
    apis.push(api);
    return { app: express(), api };
  };
}
