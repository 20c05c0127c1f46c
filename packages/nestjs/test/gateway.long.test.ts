import { gatewayConformance } from '@durable-api/conformance';
import { onNest } from './support/on-nest.ts';
import { onPostgres } from './support/on-postgres.ts';

gatewayConformance('Nest on fastify, on Postgres,', onNest('fastify'), { createData: onPostgres });
