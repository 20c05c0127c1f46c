import type { Redis } from 'ioredis';
import type { RedisServer } from './redis-server.ts';

/** Asks a server something over a connection of its own. */
export async function ask<Answer>(
  server: RedisServer,
  question: (client: Redis) => Promise<Answer>,
): Promise<Answer> {
  const client = server.connect();
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

/** How often each command was called since the server's statistics were reset, also by scripts. */
export async function commandCounts(server: RedisServer): Promise<Map<string, number>> {
  const stats = await ask(server, (client) => client.info('commandstats'));
  const lines = stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map([...lines].map(([, name = '', calls]) => [name, Number(calls)]));
}
