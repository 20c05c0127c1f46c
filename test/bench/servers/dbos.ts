import { DBOS } from '@dbos-inc/dbos-sdk';
import { answer, servePeer, type Body } from './serve-peer.ts';

const { STORE_URL = '', WORKER = '1' } = process.env;

/** Without a worker it is put in a queue that nobody works on; with one it begins at once. */
const workflow = DBOS.registerWorkflow(
  async (body: Body): Promise<object> => {
    const result = answer(body);
    completed();
    return result;
  },
  { name: 'op' },
);
DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: STORE_URL,
  systemDatabasePoolSize: 10,
  logLevel: 'error',
});
await DBOS.launch();
const queue =
  WORKER === '1'
    ? null
    : await DBOS.registerQueue('held', { concurrency: 1, workerConcurrency: 1 });
const completed = servePeer(async (body) => {
  const options = queue === null ? {} : { queueName: queue.name };
  const handle = await DBOS.startWorkflow(workflow, options)(body);
  return handle.workflowID;
});
