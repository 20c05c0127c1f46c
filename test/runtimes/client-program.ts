import { useClient } from '../browser/client-scenario.ts';

const [url = ''] = process.argv.slice(2);
console.log(JSON.stringify(await useClient(url)));
