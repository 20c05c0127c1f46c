import { gatewayConformance } from '@durable-api/conformance';
import { onExpress } from './mounts.ts';
import { onSqlite } from './on-sqlite.ts';

gatewayConformance('Express, on SQLite,', onExpress, { createData: onSqlite });
