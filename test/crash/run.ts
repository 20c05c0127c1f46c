import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chaos } from './chaos.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    processes: { type: 'string', default: '4' },
    rate: { type: 'string', default: '100' },
    lease: { type: 'string', default: '2000' },
    store: { type: 'string' },
    sabotage: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'durable-crash-'));
const report = await chaos({
  store: values.store ?? `sqlite:${join(folder, 'operations.db')}`,
  seconds: Number(values.seconds),
  processes: Number(values.processes),
  submitsPerSecond: Number(values.rate),
  leaseMs: Number(values.lease),
  ...(values.sabotage === 'fence' && { sabotage: 'fence' }),
});
rmSync(folder, { recursive: true, force: true });
const { violations, ...figures } = report;
for (const violation of violations.slice(0, 20)) console.log(`VIOLATION: ${violation}`);
console.log(JSON.stringify({ ...figures, violations: violations.length }));
process.exitCode = violations.length === 0 ? 0 : 1;
