import type { INestApplication, NestApplicationOptions, Type } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** The HTTP frameworks under Nest. */
export const PLATFORMS = ['express', 'fastify'] as const;
export type PlatformName = (typeof PLATFORMS)[number];

/** A new HTTP framework. */
export function adapterOf(platform: PlatformName): AbstractHttpAdapter {
  return platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
}

/** An app that has not started yet. */
export function createApp(
  platform: PlatformName,
  root: Type<unknown>,
  options: NestApplicationOptions = {},
): Promise<INestApplication> {
  return NestFactory.create(root, adapterOf(platform), {
    logger: false,
    abortOnError: false,
    ...options,
  });
}

/** Starts an app on 127.0.0.1, on a free port, and returns its origin. */
export async function listen(app: INestApplication): Promise<string> {
  await app.listen(0, '127.0.0.1');
  return (await app.getUrl()).replace('[::1]', '127.0.0.1');
}
