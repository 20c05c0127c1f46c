import { describe, expect, it } from 'vitest';
import { openBed, respond, type Bed, type BedOptions } from '../support/bed.ts';
import { recordOf } from '../support/family.ts';
import { detailsOf } from '../support/handled.ts';
import { deliveriesIn, receiver, type Receiver } from '../support/webhook-bed.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A bed whose one intent has ended, and who is told of it. */
function bedWith(to: Receiver, options: BedOptions = {}): Bed {
  return openBed(async () => respond(), { random: () => 1, ...to.options, ...options });
}

/** The delivery once it has ended. */
async function ended(bed: Bed, withinMs = 30 * DAY_MS) {
  const isOver = (): boolean => deliveriesIn(bed.data).some(({ dueAt }) => dueAt === null);
  await bed.clock.until(isOver, withinMs);
  return deliveriesIn(bed.data)[0];
}

describe('a delivery', () => {
  it('is tried again after a failure, with the same id and body and a timestamp of its own', async () => {
    const to = receiver((_, nth) => ({ status: nth < 3 ? 500 : 200 }));
    const bed = bedWith(to);
    await bed.submit();
    expect(await ended(bed)).toMatchObject({ status: 'COMPLETED', failures: 2 });
    const [first, second, third] = to.posts;
    expect(to.posts).toHaveLength(3);
    const of = (post = first) => [post?.headers['webhook-id'], post?.body, post?.url];
    expect([of(second), of(third)]).toEqual([of(), of()]);
    const at = (post = first): number => Number(post?.headers['webhook-timestamp']);
    expect([at(second) - at(), at(third) - at(second)]).toEqual([5, 20]);
    expect(first?.headers['webhook-signature']).not.toBe(second?.headers['webhook-signature']);
  });

  it('says in its timeline what the receiver answered, whatever the environment', async () => {
    const to = receiver((_, nth) => ({ status: nth < 2 ? 302 : 200 }));
    const bed = bedWith(to, { exposeErrors: false });
    await bed.submit();
    const delivery = await ended(bed);
    expect(detailsOf(bed, delivery?.id ?? '', 'delivery_failed')).toMatchObject([
      {
        error: {
          message: 'The receiver answered 302. Redirects are not followed.',
          retryable: true,
        },
      },
    ]);
  });

  it.each([
    [429, '90', 90_000],
    [503, '120', 120_000],
    [503, '0', 1_000],
    [503, 'Thu, 01 Jan 2026 00:10:00 GMT', 10 * MINUTE_MS],
    [429, 'in a while', 5_000],
    [500, '90', 5_000],
  ])('after %i with Retry-After: %s goes on %d ms later', async (status, retryAfter, waitMs) => {
    const to = receiver((_, nth) => (nth === 1 ? { status, retryAfter } : { status: 200 }));
    const bed = bedWith(to);
    const startedAt = bed.clock.now();
    await bed.submit();
    await bed.clock.until(() => to.posts.length === 2, DAY_MS);
    expect(bed.clock.now() - startedAt).toBe(waitMs);
  });

  it('ends at once when its receiver is gone', async () => {
    const to = receiver(() => ({ status: 410 }));
    const bed = bedWith(to);
    await bed.submit();
    expect(await ended(bed)).toMatchObject({ status: 'FAILED', error: { code: 'webhook_gone' } });
    expect(to.posts).toHaveLength(1);
  });

  it('ends when its attempts are used up, and the intent stays as it is', async () => {
    const to = receiver(() => ({ status: 500 }), { retries: 2 });
    const bed = bedWith(to);
    const id = await bed.submit();
    expect(await ended(bed)).toMatchObject({ status: 'FAILED', failures: 3 });
    expect(recordOf(bed, id)).toMatchObject({ status: 'COMPLETED', seq: 5 });
  });

  it('goes on for days by itself', async () => {
    const to = receiver(() => ({ status: 500 }));
    const bed = bedWith(to, { random: () => 0.5, retention: { endedMs: null } });
    await bed.submit();
    const startedAt = bed.clock.now();
    expect(await ended(bed)).toMatchObject({ status: 'FAILED', failures: 16 });
    expect((bed.clock.now() - startedAt) / DAY_MS).toBeGreaterThan(1);
  });

  it('tells what it told at first although the intent has been removed', async () => {
    const to = receiver((_, nth) => ({ status: nth < 3 ? 500 : 200 }), {
      backoff: { baseMs: 3 * MINUTE_MS },
    });
    const bed = bedWith(to, { retention: { endedMs: MINUTE_MS, idempotencyMs: DAY_MS } });
    const id = await bed.submit();
    await bed.clock.until(() => to.posts.length === 1);
    await bed.clock.advance(2 * MINUTE_MS);
    // The end of another one has the old ones removed.
    bed.api.declare({ name: 'other', run: async () => respond() });
    await bed.clock.resolve(bed.api.intents.submit('other'));
    await bed.clock.until(() => !bed.data.entries.has(id), MINUTE_MS);
    expect(await ended(bed)).toMatchObject({ status: 'COMPLETED' });
    expect(new Set(to.posts.map(({ body }) => body)).size).toBe(1);
  });

  it('is replayed also when it succeeded, with the id by which its receiver knows it', async () => {
    const to = receiver();
    const bed = bedWith(to);
    const id = await bed.submit();
    const delivery = await ended(bed);
    const again = await bed.clock.resolve(bed.api.intents.retry(delivery?.id ?? ''));
    expect(again.record).toMatchObject({ retriedFrom: delivery?.id, parentIntentId: id });
    await bed.clock.until(() => to.posts.length === 2);
    expect(to.posts.map(({ headers }) => headers['webhook-id'])).toEqual([
      `msg_${id}`,
      `msg_${id}`,
    ]);
    expect(to.posts[1]?.body).toBe(to.posts[0]?.body);
    await expect(bed.clock.resolve(bed.api.intents.retry(id))).rejects.toMatchObject({
      code: 'intent_not_retryable',
    });
  });

  it('that is replayed when its intent is gone says so', async () => {
    const to = receiver();
    const bed = bedWith(to);
    const id = await bed.submit();
    const delivery = await ended(bed);
    bed.data.entries.delete(id);
    const again = await bed.clock.resolve(bed.api.intents.retry(delivery?.id ?? ''));
    await bed.clock.until(() => recordOf(bed, again.record.id).dueAt === null);
    expect(recordOf(bed, again.record.id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'webhook_intent_gone' },
    });
  });

  it('can be canceled like any intent', async () => {
    const to = receiver(() => ({ status: 500 }));
    const bed = bedWith(to);
    await bed.submit();
    await bed.clock.until(() => deliveriesIn(bed.data)[0]?.status === 'WAITING');
    await bed.clock.resolve(bed.api.intents.cancel(deliveriesIn(bed.data)[0]?.id ?? ''));
    await bed.clock.advance(DAY_MS);
    expect(to.posts).toHaveLength(1);
    expect(deliveriesIn(bed.data)).toMatchObject([{ status: 'CANCELED' }]);
  });
});

describe('the secret', () => {
  const other = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
  const signaturesOf = (to: Receiver): string[] =>
    to.posts[0]?.headers['webhook-signature']?.split(' ') ?? [];

  it('may be two, while one replaces the other', async () => {
    const to = receiver(undefined, { secret: [receiver().webhooks.secret, other].map(String) });
    const bed = bedWith(to);
    await bed.submit();
    await ended(bed);
    expect(signaturesOf(to)).toHaveLength(2);
    expect(signaturesOf(to).every((one) => /^v1,[\w+/]{43}=$/.test(one))).toBe(true);
  });

  it('may be each owner’s own', async () => {
    const asked: string[] = [];
    const secret = async (owner: string): Promise<string> => {
      asked.push(owner);
      return other;
    };
    const to = receiver(undefined, { secret });
    const bed = bedWith(to, { identify: () => 'ann' });
    await bed.submit();
    await ended(bed);
    expect(asked).toEqual(['ann']);
    expect(signaturesOf(to)).toHaveLength(1);
  });

  it('that is none for an owner is a failed attempt', async () => {
    const secret = async (): Promise<string> => 'not one';
    const to = receiver(undefined, { secret, retries: 0 });
    const bed = bedWith(to, { exposeErrors: false });
    await bed.submit();
    expect((await ended(bed))?.error?.message).toMatch(/^webhooks\.secret gave no secret/);
    expect(to.posts).toEqual([]);
  });
});
