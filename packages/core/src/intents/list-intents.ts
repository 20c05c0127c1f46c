import { isInternalOperation } from '../state/internal-operation.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { ListRequest, Store } from '../store/store.ts';

/**
 * A page of intents, newest first. What the library keeps for itself, such as when a schedule is due next, is
 * left out, unless it is asked for by its operation.
 */
export async function listIntents(
  store: Pick<Store, 'list'>,
  request: ListRequest,
): Promise<readonly IntentRecord[]> {
  const { operation, limit } = request;
  if (operation !== undefined) return store.list(request);
  const shown: IntentRecord[] = [];
  for (let { before } = request; ;) {
    const page = await store.list({ ...request, ...(before !== undefined && { before }) });
    shown.push(...page.filter((record) => !isInternalOperation(record.operation)));
    before = page.at(-1)?.id;
    if (page.length < limit || shown.length >= limit) return shown.slice(0, limit);
  }
}
