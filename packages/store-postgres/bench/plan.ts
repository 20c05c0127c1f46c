import { postgresStore } from '../src/index.ts';
import { measure } from './cpu.ts';
const store = postgresStore({ connectionString: 'postgres://root@127.0.0.1:5432/test', schema: 'durable_bench2' });
await store.migrate();
const id = '00000000-0000-7000-8000-000000000000';
for (let i = 0; i < 2; i += 1) {
await measure('empty claim', 2000, async () => { for (let i = 0; i < 2000; i++) await store.claim({ now: 0, holder: 'x', leaseMs: 1000, operations: ['a'], limit: 100 }); });
await measure('empty renew', 2000, async () => { for (let i = 0; i < 2000; i++) await store.renew({ now: 0, leaseMs: 1000, leases: [{ id, lease: 1 }] }); });
await measure('empty get', 2000, async () => { for (let i = 0; i < 2000; i++) await store.get({ ids: [id] }); });
await measure('empty events', 2000, async () => { for (let i = 0; i < 2000; i++) await store.events({ of: [{ id, after: 0 }], limit: 10 }); });
await measure('empty commit (+get)', 2000, async () => { for (let i = 0; i < 2000; i++) await store.commit([{ expected: { seq: 1, lease: 1 }, events: [{seq:2,type:'a',json:'{}'}], record: { id, operation: 'a', owner: '', createdAt: 1, deadlineAt: null, idempotency: null, seq: 2, status: 'COMPLETED', waitingReason: null, updatedAt: 1, attempt: 1, failures: 0, cancelRequestedAt: null, progress: null, error: null, lease: 1, holder: null, lostLeases: 0, dueAt: null } }]); });
}
await store.close();
