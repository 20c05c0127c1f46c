import { randomBytes } from 'node:crypto';
import type { StoredResponse } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

const STRANGE_TEXTS: readonly string[] = [
  `'; DROP TABLE intents; --`,
  'back\\slash "double" \'single\' `tick`',
  'a line\nand another\r\nand a tab\t.',
  '% _ * ? [a-z] {braces} $1 :name @at #hash',
  'Grüße, 世界, שלום, 🏳️‍🌈, e\u0301, \u2028\u2029, \uFEFF',
  '007',
  '1e3',
  '-0',
  'null',
  'true',
  ' leading and trailing ',
  'x'.repeat(1000),
];

/** Cases about giving back exactly what was given. */
export function fidelityCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  const stored = async (scene: StoreScene, result: StoredResponse): Promise<StoredResponse> => {
    const { record } = await scene.claimed();
    const started = await scene.apply(record, { type: 'start' });
    const { id } = await scene.apply(started, { type: 'complete', result });
    const [found] = await scene.store.get({ ids: [id], include: 'result' });
    if (found?.result === undefined) throw new Error('There is no result.');
    return found.result;
  };

  describe('what is stored comes back as it was:', () => {
    it(
      'strange owners, operations, keys and fingerprints',
      play(async (scene) => {
        for (const text of STRANGE_TEXTS) {
          const { record } = await scene.submit({
            owner: text,
            operation: text,
            key: text,
            fingerprint: text,
          });
          expect(await scene.read(record.id)).toEqual(record);
          expect(await scene.store.list({ owner: text, operation: text, limit: 9 })).toEqual([
            record,
          ]);
          const { claimed } = await scene.claim({ operations: [text], holder: text });
          expect(claimed[0]?.record).toMatchObject({ owner: text, operation: text, holder: text });
        }
      }),
    );

    it(
      'the longest owner, which no compression makes shorter',
      play(async (scene) => {
        const owner = randomBytes(512).toString('hex');
        const { record } = await scene.submit({ owner });
        expect(await scene.store.list({ owner, limit: 9 })).toEqual([record]);
      }),
    );

    it(
      'strange inputs',
      play(async (scene) => {
        const inputs = [...STRANGE_TEXTS, '\u0000', '\u0001\u001f\u007f'].map((text) =>
          JSON.stringify({ text }),
        );
        for (const input of [...inputs, '{"b":1,"a":2,"b":3}', '1.0', '""', '[ ]', '1e400']) {
          const { record } = await scene.submit({ input });
          const found = await scene.store.get({ ids: [record.id], include: 'input' });
          expect(found[0]?.input).toBe(input);
          const { claimed } = await scene.claim();
          expect(claimed[0]?.input).toBe(input);
        }
      }),
    );

    it(
      'strange texts in events, byte for byte',
      play(async (scene) => {
        const { record } = await scene.claimed();
        let current = await scene.apply(record, { type: 'start' });
        for (const message of STRANGE_TEXTS) {
          const progress = { message };
          const request = await scene.change(current, { type: 'progress', progress });
          await scene.store.commit([request]);
          current = request.record;
          expect((await scene.log(record.id)).slice(-1)).toEqual(request.events);
          expect((await scene.read(record.id)).progress).toEqual(progress);
        }
      }),
    );

    it(
      'the details of a failure',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const failure = {
          code: 'http_503',
          message: STRANGE_TEXTS.join('\n'),
          retryable: false,
        };
        const failed = await scene.apply(started, { type: 'fail', failure, retryAfterMs: null });
        expect(await scene.read(record.id)).toEqual(failed);
        expect(failed).toMatchObject({ status: 'FAILED', error: failure, holder: null });
      }),
    );

    it(
      'an input of a mebibyte',
      play(async (scene) => {
        const input = JSON.stringify({ text: 'Grüße 🏳️‍🌈 '.repeat(50_000) });
        const { record } = await scene.submit({ input });
        const found = await scene.store.get({ ids: [record.id], include: 'input' });
        expect(found[0]?.input === input).toBe(true);
      }),
    );

    it(
      'a binary result with every byte',
      play(async (scene) => {
        const body = Uint8Array.from({ length: 1024 }, (_, i) => i % 256);
        const headers = { 'content-type': 'application/pdf', 'x-note': `a "quoted", note; b=c` };
        const result = await stored(scene, { status: 201, headers, body });
        expect(result).toEqual({ status: 201, headers, body });
        expect(result.body).toBeInstanceOf(Uint8Array);
      }),
    );

    it(
      'a result of four mebibytes',
      play(async (scene) => {
        const body = new Uint8Array(4 * 1024 * 1024);
        for (let i = 0; i < body.length; i += 1) body[i] = (i * 31) % 251;
        const result = await stored(scene, { status: 200, headers: {}, body });
        expect(Buffer.compare(result.body, body)).toBe(0);
      }),
    );

    it(
      'a result without a body and without headers',
      play(async (scene) => {
        const empty = { status: 204, headers: {}, body: new Uint8Array(0) };
        expect(await stored(scene, empty)).toEqual(empty);
      }),
    );

    it(
      'a result whose body is a part of a larger buffer',
      play(async (scene) => {
        const whole = Uint8Array.from({ length: 64 }, (_, i) => i);
        const body = whole.subarray(16, 32);
        const result = await stored(scene, { status: 200, headers: {}, body });
        expect([...result.body]).toEqual([...body]);
        expect([...whole]).toEqual(Array.from({ length: 64 }, (_, i) => i));
      }),
    );

    it(
      'instants far away',
      play(async (scene) => {
        const far = 8_640_000_000_000_000;
        const { record } = await scene.submit({ startAt: far, deadlineAt: far });
        expect(await scene.read(record.id)).toEqual(record);
        expect((await scene.claim()).nextDueAt).toBe(far);
      }),
    );

    it(
      'what the caller changes afterwards does not change what is stored',
      play(async (scene) => {
        for (const body of [new Uint8Array([1, 2, 3]), Buffer.from([1, 2, 3])]) {
          const { record } = await scene.claimed();
          const started = await scene.apply(record, { type: 'start' });
          const result = { status: 200, headers: {}, body };
          await scene.apply(started, { type: 'complete', result });
          body.fill(9);
          const [found] = await scene.store.get({ ids: [record.id], include: 'result' });
          expect([...(found?.result?.body ?? [])]).toEqual([1, 2, 3]);
        }
      }),
    );
  });
}
