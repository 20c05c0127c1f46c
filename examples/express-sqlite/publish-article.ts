import { setTimeout as delay } from 'node:timers/promises';
import { durable, NonRetryableError } from '@durable-api/express';
import type { Request, Response } from 'express';

const WORDS =
  'Slow endpoints need not be fragile: they can be made durable, one line at a time.'.split(' ');

/**
 * Writes an article as a language model would, word by word, has a person approve it, and publishes it in the
 * next quiet second: each part of the durable context, in one handler.
 */
export async function publishArticle(req: Request, res: Response): Promise<void> {
  const { step, emit, progress, waitFor, sleep, signal, log } = durable(req);
  const text = await step('write', async () => {
    for (const [i, word] of WORDS.entries()) {
      await delay(100, undefined, { signal });
      await emit(`${word} `);
      progress({ current: i + 1, total: WORDS.length });
    }
    return WORDS.join(' ');
  });
  const decision = await waitFor<{ approved?: boolean }>('decision', {
    task: { title: 'Approve the article', text },
    remindEveryMs: 60_000,
    timeoutMs: 3_600_000,
  });
  if (decision?.approved !== true) throw new NonRetryableError('The article was not approved.');
  await sleep(1_500);
  const publishedAt = await step('publish', ({ idempotencyKey }) => {
    // A real one would send the key along, for the case that the process dies in here.
    log.info({ idempotencyKey }, 'Published');
    return new Date().toISOString();
  });
  res.json({ title: req.body?.title ?? 'Untitled', text, publishedAt });
}
