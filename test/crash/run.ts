import { parseArgs } from 'node:util';
import { chaos } from './chaos.ts';
import { openCrashStore } from './crash-store.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    processes: { type: 'string', default: '4' },
    rate: { type: 'string', default: '100' },
    lease: { type: 'string', default: '2000' },
    store: { type: 'string', default: 'sqlite' },
    'restart-store': { type: 'boolean', default: false },
    sabotage: { type: 'string' },
  },
});

const kinds = ['sqlite', 'postgres', 'redis'] as const;
const kind = kinds.find((one) => one === values.store);
if (kind === undefined) throw new Error(`--store takes one of ${kinds.join(', ')}.`);
await using store = await openCrashStore(kind);
if (store === null) throw new Error(`There is no ${kind} server on this machine.`);
const report = await chaos({
  store,
  restartsStore: values['restart-store'],
  seconds: Number(values.seconds),
  processes: Number(values.processes),
  submitsPerSecond: Number(values.rate),
  leaseMs: Number(values.lease),
  ...(values.sabotage === 'fence' && { sabotage: 'fence' }),
});
const { violations, ...figures } = report;
for (const violation of violations.slice(0, 20)) console.log(`VIOLATION: ${violation}`);
console.log(JSON.stringify({ store: kind, ...figures, violations: violations.length }));
process.exitCode = violations.length === 0 ? 0 : 1;
