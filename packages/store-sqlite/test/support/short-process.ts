import { sqliteStore } from '@durable-api/store-sqlite';
import { submitRequest } from './intents.ts';

const [, , path = '', mode = ''] = process.argv;
const store = sqliteStore(path);
store.watch(() => {});
await store.migrate();
process.stdout.write(`${mode}\n`);
if (mode === 'pending') {
  void store.submit([submitRequest()]).then(() => process.stdout.write('stored\n'));
}
