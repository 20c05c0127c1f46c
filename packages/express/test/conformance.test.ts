import { adapterConformance } from '@durable-api/conformance';
import compression from 'compression';
import cors from 'cors';
import express5 from 'express';
import express4 from 'express4';
import helmet from 'helmet';
import { onSqlite } from './on-sqlite.ts';
import { serveWith } from './serve.ts';

adapterConformance('Express 5 in memory', serveWith(express5));
adapterConformance('Express 4 in memory', serveWith(express4));
adapterConformance(
  'Express 5 with compression, helmet and cors, on a router under a prefix, in memory',
  serveWith(express5, {
    middleware: [compression({ threshold: 0 }), helmet(), cors()],
    prefix: '/api/v1',
  }),
);
adapterConformance('Express 5 on SQLite', serveWith(express5), { createData: onSqlite });
