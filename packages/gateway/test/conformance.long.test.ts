import { gatewayConformance } from '@durable-api/conformance';
import { onExpress, onExpressBehindParser, onFastify } from './mounts.ts';
import { hasPostgres, onPostgres } from './on-postgres.ts';
import { onSqlite } from './on-sqlite.ts';

/** Every mount on every store, which tells little more for its time. */
const isEverywhere = process.env['EVERYWHERE'] === 'true';

gatewayConformance('Express behind a parser and a prefix, in memory,', onExpressBehindParser);
if (hasPostgres) gatewayConformance('Fastify, on Postgres,', onFastify, { createData: onPostgres });
if (isEverywhere) gatewayConformance('Fastify, on SQLite,', onFastify, { createData: onSqlite });
if (isEverywhere && hasPostgres)
  gatewayConformance('Express, on Postgres,', onExpress, { createData: onPostgres });
