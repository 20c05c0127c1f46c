import { adapterConformance } from '@durable-api/conformance';
import express4 from 'express4';
import { onSqlite } from './on-sqlite.ts';
import { serveWith } from './serve.ts';

adapterConformance('Express 4 on SQLite', serveWith(express4), { createData: onSqlite });
