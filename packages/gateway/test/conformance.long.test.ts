import { gatewayConformance } from '@durable-api/conformance';
import { onExpressBehindParser, onFastify } from './mounts.ts';
import { onPostgres } from './on-postgres.ts';

gatewayConformance('Fastify, on Postgres,', onFastify, { createData: onPostgres });
gatewayConformance('Express behind a parser and a prefix, in memory,', onExpressBehindParser);
