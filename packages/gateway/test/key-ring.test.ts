import { timingSafeEqual } from 'node:crypto';
import { DurableApi, memoryStore } from '@durable-api/core';
import { expect, it, onTestFinished } from 'vitest';
import { KeyRing } from '../src/access/key-ring.ts';

it('compares every token as often, by hashes in full, whether it is right, wrong or none', async () => {
  const api = new DurableApi({ store: memoryStore() });
  onTestFinished(() => api.stop({ graceMs: 0 }));
  const compared: number[][] = [];
  const fixed = ['first-key-of-an-admin', 'second-key-of-an-admin'];
  const ring = new KeyRing(api.ledger, fixed, (one, other) => {
    compared.at(-1)?.push(one.byteLength, other.byteLength);
    return timingSafeEqual(one, other);
  });
  const agent = { kind: 'agent', agent: 'agent://a/b/c', address: 'a/b/c' } as const;
  const { token, info } = await ring.mint(agent);
  const revoked = await ring.mint(agent);
  await ring.revoke(revoked.info.keyId);
  const kindOf = async (given: string): Promise<string | undefined> => {
    compared.push([]);
    return (await ring.authenticate(given))?.kind;
  };
  const wrongSecret = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  const unknownId = token.replace(info.keyId, 'sak_0123456789abcdef');
  for (const none of ['', 'x', 'x'.repeat(10_000)]) expect(await kindOf(none)).toBeUndefined();
  expect(await kindOf('first-key-of-an-admin')).toBe('admin');
  expect(await kindOf('second-key-of-an-admin')).toBe('admin');
  expect(await kindOf('first-key-of-an-admiN')).toBeUndefined();
  expect(await kindOf(token)).toBe('agent');
  expect(await kindOf(wrongSecret)).toBeUndefined();
  expect(await kindOf(unknownId)).toBeUndefined();
  expect(await kindOf(revoked.token)).toBeUndefined();
  // Both keys of the options and one minted key, each with the token: hashes of SHA-256.
  for (const lengths of compared) expect(lengths).toEqual(Array(6).fill(32));
});
