import { memoryData, memoryStore, type CommitRequest, type Store } from '@durable-api/core';
import { expect, it } from 'vitest';
import { startProcess } from './operations-bed.ts';

const AGENT = 'acme/production/worker';

it('what a lease gave back is sent again, though the process died before it was in the mailbox', async () => {
  const data = memoryData();
  let isDying = false;
  const open = (): Store => {
    const store = memoryStore(data);
    return Object.assign(Object.create(store), {
      capabilities: store.capabilities,
      commit: async (batch: readonly CommitRequest[]) => {
        const isSent = batch.some(({ record }) => record.operation === 'axp.mailbox');
        if (isDying && isSent) throw new Error('The process is gone.');
        return store.commit(batch);
      },
    });
  };
  const setup = { data: { open, dispose: () => {} }, declare: () => {} };
  const process = await startProcess(setup);
  const intent = { intent_type: 'a.b.v1', to_agent: `agent://${AGENT}`, payload: {} };
  const created = await process.send('POST', '/v1/intents', {
    ...intent,
    max_delivery_attempts: 1,
  });
  const id = String(created.json['intent_id']);
  const { seq } = await process.listen(AGENT);
  const leases = `/v1/agents/${AGENT}/leases`;
  const { json } = await process.send('POST', leases, { lease_seconds: 60 });
  const lease = String(json['lease_id']);
  await process.send('POST', `/v1/intents/${id}/claim`, { lease_id: lease });
  isDying = true;
  await process.send('POST', `${leases}/${lease}/end`);
  expect(await process.axp(id)).toMatchObject({ status: 'WAITING' });
  await process.stop();
  isDying = false;
  const next = await startProcess(setup);
  expect(await next.listen(AGENT, Number(seq))).toMatchObject({
    intent_id: id,
    status: 'DELIVERED',
    delivery_attempt: 2,
  });
});
