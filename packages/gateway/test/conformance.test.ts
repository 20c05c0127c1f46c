import { gatewayConformance } from '@durable-api/conformance';
import { onExpress, onFastify } from './mounts.ts';
import { nodeServer } from './node-server.ts';
import { onPostgres } from './on-postgres.ts';
import { onSqlite } from './on-sqlite.ts';

gatewayConformance('node:http, in memory,', nodeServer);
gatewayConformance('Express, on SQLite,', onExpress, { createData: onSqlite });
gatewayConformance('Fastify, on SQLite,', onFastify, { createData: onSqlite });
gatewayConformance('Express, on Postgres,', onExpress, { createData: onPostgres });
