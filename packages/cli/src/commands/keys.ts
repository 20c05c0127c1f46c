import { DurableApi } from '@durable-api/core';
import { gateway, type KeyInfo, type GatewayKeys } from '@durable-api/gateway';
import type { Command, Given } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { openStore, newStoreUrl, STORE_FLAGS } from '../open-store.ts';
import { plain, type Terminal } from '../terminal.ts';

/** `durable keys` */
export const keys: Command = {
  name: 'keys',
  usage: 'mint|list|revoke [--agent ADDRESS] [--key ID] [--store URL]',
  summary:
    'Mint, list and revoke the API keys of "durable serve" and of gateways in apps on this store.\n' +
    'A key is shown once, when it is minted; it is an admin’s, or with --agent that agent’s.',
  positionals: 1,
  flags: {
    agent: { type: 'string', value: 'ADDRESS', help: 'mint a key of this agent' },
    key: { type: 'string', value: 'ID', help: 'the key to revoke, by its id' },
    ...STORE_FLAGS,
  },
  examples: [
    'keys mint --store sqlite:file.db',
    'keys mint --agent agent://org/env/report-service --store sqlite:file.db',
    'keys revoke --key sak_0123456789abcdef --store sqlite:file.db',
  ],
  async run(given, terminal) {
    const [action = ''] = given.positionals;
    const store = await openStore(newStoreUrl(given, terminal));
    await using api = new DurableApi({ store, worker: false });
    const ring = gateway(api).keys;
    if (action === 'mint') await mint(ring, given, terminal);
    else if (action === 'list') await list(ring, given, terminal);
    else if (action === 'revoke') await revoke(ring, given, terminal);
    else throw new UsageError('It takes mint, list or revoke.');
    return EXIT.ok;
  },
};

async function mint(ring: GatewayKeys, given: Given, terminal: Terminal): Promise<void> {
  const { info, token } = await ring.mint({ agent: given.text('agent') });
  const shown = given.has('json') ? JSON.stringify({ ...info, token }) : token;
  terminal.stdout.write(`${shown}\n`);
}

async function list(ring: GatewayKeys, given: Given, terminal: Terminal): Promise<void> {
  for (const key of await ring.list()) {
    terminal.stdout.write(`${given.has('json') ? JSON.stringify(key) : lineOf(key)}\n`);
  }
}

async function revoke(ring: GatewayKeys, given: Given, terminal: Terminal): Promise<void> {
  const keyId = given.text('key');
  if (keyId === undefined)
    throw new UsageError('Name the key: --key sak_…, as "durable keys list" shows.');
  const key = await ring.revoke(keyId);
  if (key === null) throw new UsageError(`There is no key ${keyId}.`);
  terminal.stdout.write(`${given.has('json') ? JSON.stringify(key) : lineOf(key)}\n`);
}

function lineOf({ keyId, status, kind, agent, createdAt }: KeyInfo): string {
  return plain(`${keyId}  ${status.padEnd(7)}  ${createdAt}  ${agent ?? kind}`);
}
