import type { DuePosition, ListRequest } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about listing intents. */
export function listCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('list', () => {
    it(
      'gives the newest first, however they were stored',
      play(async (scene) => {
        const requests = [];
        for (let i = 0; i < 5; i += 1) requests.push(await scene.request());
        const [a, b, c, d, e] = requests;
        if (a && b && c && d && e) await scene.store.submit([c, e, a, d, b]);
        const records = await scene.store.list({ limit: 10 });
        expect(records).toEqual(requests.map(({ record }) => record).toReversed());
      }),
    );

    it(
      'of an empty store is empty',
      play(async (scene) => {
        expect(await scene.store.list({ limit: 10 })).toEqual([]);
      }),
    );

    it(
      'gives no more than the limit, and pages by the last id of the page before',
      play(async (scene) => {
        const ids = [];
        for (let i = 0; i < 7; i += 1) ids.push((await scene.submit()).record.id);
        const pages: string[][] = [];
        for (let before: string | undefined; pages.length < 10;) {
          const records = await scene.store.list({ limit: 3, ...(before && { before }) });
          if (records.length === 0) break;
          pages.push(records.map(({ id }) => id));
          before = records.at(-1)?.id;
        }
        expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
        expect(pages.flat()).toEqual(ids.toReversed());
      }),
    );

    it(
      'pages from an id that is not there',
      play(async (scene) => {
        const { record: first } = await scene.submit();
        const between = scene.nextId();
        await scene.submit();
        const records = await scene.store.list({ limit: 10, before: between });
        expect(records.map(({ id }) => id)).toEqual([first.id]);
      }),
    );

    it(
      'keeps to one owner',
      play(async (scene) => {
        const { record: mine } = await scene.submit({ owner: 'me' });
        await scene.submit({ owner: 'ME' });
        await scene.submit({ owner: '' });
        expect(await scene.store.list({ owner: 'me', limit: 10 })).toEqual([mine]);
      }),
    );

    it(
      'takes the empty owner for an owner, not for all of them',
      play(async (scene) => {
        await scene.submit({ owner: 'me' });
        const { record: nobodys } = await scene.submit({ owner: '' });
        expect(await scene.store.list({ owner: '', limit: 10 })).toEqual([nobodys]);
      }),
    );

    it(
      'keeps to one operation',
      play(async (scene) => {
        await scene.submit({ operation: 'report' });
        const { record } = await scene.submit({ operation: 'export' });
        expect(await scene.store.list({ operation: 'export', limit: 10 })).toEqual([record]);
      }),
    );

    it(
      'keeps to all versions of an operation',
      play(async (scene) => {
        const records = [];
        for (const operation of ['export', 'export@@2', 'export@@a.b', 'export@@1'])
          records.unshift((await scene.submit({ operation })).record);
        for (const operation of ['exports', 'export@', 'export@2', 'expor', 'export@A', 'export '])
          await scene.submit({ operation });
        await scene.submit({ operation: 'export@@1', keyed: 'tenant' });
        const found = await scene.store.list({ operation: 'export', limit: 10 });
        expect(found.filter(({ key }) => key === undefined)).toEqual(records);
        expect(found).toHaveLength(5);
      }),
    );

    it(
      'keeps to some statuses, as they are now',
      play(async (scene) => {
        const done = await scene.completed();
        const { record: open } = await scene.submit();
        const started = await scene.apply((await scene.claimed({ operation: 'export' })).record, {
          type: 'start',
        });
        const some = await scene.store.list({ statuses: ['COMPLETED', 'IN_PROGRESS'], limit: 10 });
        expect(some).toEqual([started, done]);
        expect(await scene.store.list({ statuses: ['SUBMITTED'], limit: 10 })).toEqual([open]);
        expect(await scene.store.list({ statuses: ['FAILED'], limit: 10 })).toEqual([]);
        expect(await scene.store.list({ statuses: [], limit: 10 })).toEqual([]);
      }),
    );

    it(
      'fills its pages though many intents are of others',
      play(async (scene) => {
        const mine = [];
        for (let i = 0; i < 40; i += 1) {
          const owner = i % 10 === 0 ? 'me' : 'other';
          const { record } = await scene.submit({ owner });
          if (owner === 'me') mine.unshift(record);
        }
        const page = await scene.store.list({ owner: 'me', limit: 3 });
        expect(page).toEqual(mine.slice(0, 3));
      }),
    );

    it(
      'gives what is due of other operations, the longest due first, page by page',
      play(async (scene) => {
        const now = await scene.now();
        const wishes = [
          { operation: 'export', startAt: now + 3_000 },
          { operation: 'report', startAt: now + 2_000 },
          { operation: 'report@@2', startAt: now + 1_000 },
          { operation: 'export', keyed: 'a', startAt: now + 1_500 },
          { operation: 'report', keyed: 'a', priority: 5, startAt: now + 4_000 },
          { operation: 'other', startAt: now + 500 },
          { operation: 'other', keyed: 'a', startAt: now + 500 },
          { operation: 'other@@1', keyed: 'b', startAt: now + 2_500 },
        ];
        const records = [];
        for (const wish of wishes) records.push((await scene.submit(wish)).record);
        const same = [];
        for (let i = 0; i < 5; i += 1)
          same.push((await scene.submit({ startAt: now + 9_000, keyed: `${i % 2}` })).record);
        await scene.completed({ operation: 'ended' });
        const [a, b, c, d, e, , , f] = records;
        same.sort((one, two) => (one.id < two.id ? -1 : 1));
        const due: ListRequest['due'] = { except: ['other', 'unheard of'], after: null };
        const all = await scene.store.list({ due, limit: 100 });
        expect(all).toEqual([c, d, b, f, a, e, ...same]);
        const paged = [];
        for (let after: DuePosition | null = null; paged.length < 20;) {
          const page = await scene.store.list({ due: { except: ['other'], after }, limit: 2 });
          paged.push(...page);
          const last = page.at(-1);
          if (page.length < 2 || last?.dueAt === undefined || last.dueAt === null) break;
          after = { dueAt: last.dueAt, id: last.id };
        }
        expect(paged).toEqual(all);
        const except = ['report', 'report@@2', 'export', 'other@@1', 'other'];
        expect(await scene.store.list({ due: { except, after: null }, limit: 9 })).toEqual([]);
      }),
    );

    it(
      'gives what is due with the leases that are held of it, as it is now',
      play(async (scene) => {
        const { record: held } = await scene.claimed({ operation: 'export' });
        const { record } = await scene.submit({ operation: 'import' });
        const due = { except: [], after: null };
        expect(await scene.store.list({ due, limit: 9 })).toEqual([record, held]);
        await scene.apply(held, { type: 'start' });
        const [, started] = await scene.store.list({ due, limit: 9 });
        expect(started).toMatchObject({ status: 'IN_PROGRESS', lease: 1, dueAt: held.dueAt });
      }),
    );

    it(
      'applies all its filters together',
      play(async (scene) => {
        const a = await scene.submit({ owner: 'me', operation: 'report' });
        const b = await scene.submit({ owner: 'me', operation: 'report' });
        await scene.submit({ owner: 'me', operation: 'export' });
        await scene.submit({ owner: 'other', operation: 'report' });
        const records = await scene.store.list({
          owner: 'me',
          operation: 'report',
          statuses: ['SUBMITTED'],
          before: b.record.id,
          limit: 10,
        });
        expect(records).toEqual([a.record]);
      }),
    );
  });
}
