import { gatewayConformance } from '@durable-api/conformance';
import { onNest } from './support/on-nest.ts';
import { hasPostgres, onPostgres } from './support/on-postgres.ts';
import { onSqlite } from './support/on-sqlite.ts';

if (hasPostgres) {
  const name = 'Nest on fastify, on Postgres,';
  gatewayConformance(name, onNest('fastify'), { createData: onPostgres });
}
// As the gateway's own long tests.
if (process.env['EVERYWHERE'] === 'true')
  gatewayConformance('Nest on express, on SQLite,', onNest('express'), { createData: onSqlite });
