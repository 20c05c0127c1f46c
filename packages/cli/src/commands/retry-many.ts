import { storedOperation } from '@durable-api/core';
import type { DurableApi, RetriedMany, RetryableStatus, RetryManyOptions } from '@durable-api/core';
import type { Flag, Given } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { withIntents } from '../open-store.ts';
import type { Terminal } from '../terminal.ts';

const STATUSES: readonly RetryableStatus[] = ['FAILED', 'TIMED_OUT', 'CANCELED'];
const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The flags of a retry of many. */
export const MANY_FLAGS: Readonly<Record<string, Flag>> = {
  status: {
    type: 'string',
    multiple: true,
    value: 'STATUS',
    help: 'FAILED, TIMED_OUT or CANCELED; may be repeated',
  },
  operation: { type: 'string', value: 'NAME', help: 'only of this operation' },
  owner: { type: 'string', value: 'OWNER', help: 'only of this owner' },
  since: { type: 'string', value: 'WHEN', help: 'submitted since then: 30m, 2h, 7d or RFC 3339' },
  until: { type: 'string', value: 'WHEN', help: 'submitted before then' },
  yes: { type: 'boolean', short: 'y', help: 'do it; without, they are only counted' },
};

/** Counts what fits, and with `--yes` retries it. */
export async function retryMany(given: Given, terminal: Terminal): Promise<number> {
  const statuses = given.texts('status').map(parseStatus);
  if (statuses.length === 0) {
    throw new UsageError('Name a URL, an ID, or with --status what to retry: --status FAILED.');
  }
  const which: RetryManyOptions = {
    statuses,
    operation: given.text('operation'),
    owner: given.text('owner'),
    since: parseWhen(given.text('since')),
    // What is submitted from now on, by these retries for instance, is another time's.
    until: parseWhen(given.text('until')) ?? Date.now(),
  };
  return withIntents(given, terminal, async (api) => {
    let found = 0;
    for await (const page of pages(api, { ...which, dryRun: true }, terminal)) found += page.found;
    if (!given.has('yes')) return say(given, terminal, { found, retried: 0 });
    terminal.stderr.write(`${found} intents fit.\n`);
    await declareAll(api, which, terminal);
    let retried = 0;
    for await (const page of pages(api, which, terminal)) {
      for (const { from, record, isNew } of page.retried) {
        if (!isNew) continue;
        retried += 1;
        const line = { intent_id: record.id, retried_from: from, operation: record.operation };
        if (given.has('json')) terminal.stdout.write(`${JSON.stringify(line)}\n`);
      }
    }
    return say(given, terminal, { found, retried });
  });
}

async function* pages(
  api: DurableApi,
  which: RetryManyOptions,
  { signal }: Terminal,
): AsyncGenerator<RetriedMany> {
  let before: string | null | undefined;
  while (before !== null && !signal.aborted) {
    const page: RetriedMany = await api.intents.retryMany({ ...which, before });
    yield page;
    before = page.next;
  }
}

/** Declares what is to be retried, for nobody here to run it. A retry gets as long as the old one had. */
async function declareAll(
  api: DurableApi,
  which: RetryManyOptions,
  { signal }: Terminal,
): Promise<void> {
  const declared = new Set<string>();
  const run = () => Promise.reject(new Error('Nothing runs here.'));
  let before: string | undefined;
  while (!signal.aborted) {
    const { owner, operation, statuses } = which;
    const page = await api.intents.list({ owner, operation, statuses, before });
    for (const { operation: name, version, createdAt, deadlineAt } of page) {
      const stored = storedOperation({ operation: name, version });
      if (declared.has(stored)) continue;
      declared.add(stored);
      const deadlineMs = deadlineAt === null ? null : Math.round(deadlineAt - createdAt);
      api.declare({ name, run }, { deadlineMs, version });
    }
    before = page.at(-1)?.id;
    if (before === undefined || operation !== undefined) return;
  }
}

function say(
  given: Given,
  { stdout }: Terminal,
  counts: { readonly found: number; readonly retried: number },
): number {
  const { found, retried } = counts;
  if (given.has('json')) stdout.write(`${JSON.stringify(counts)}\n`);
  else if (given.has('yes')) stdout.write(`Retried ${retried} of ${found} intents.\n`);
  else stdout.write(`${found} intents fit. Retry them with --yes.\n`);
  return EXIT.ok;
}

function parseStatus(text: string): RetryableStatus {
  const status = STATUSES.find((one) => one === text.toUpperCase());
  if (status !== undefined) return status;
  throw new UsageError(`--status takes one of ${STATUSES.join(', ')} here.`);
}

/** An instant, or how long ago. @throws UsageError */
function parseWhen(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ago = count === undefined ? NaN : Number(count) * (UNIT_MS[unit] ?? NaN);
  const at = Number.isNaN(ago) ? Date.parse(text) : Date.now() - ago;
  if (!Number.isNaN(at)) return at;
  throw new UsageError(`"${text}" is neither an instant nor like 30m, 2h or 7d.`);
}
