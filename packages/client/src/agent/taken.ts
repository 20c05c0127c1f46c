import type { ResolvedClientOptions } from '../options.ts';
import { persist } from '../reconnecting.ts';
import type { ListenOptions } from './agent-options.ts';
import { toDelivery, type Delivery } from './delivery.ts';
import { isNotFound, type GatewayCalls } from './gateway-calls.ts';
import { takeRead } from './take-read.ts';
import type { Intent } from './wire.ts';

/** What is sent to an agent, each taken when it is asked for. What has ended meanwhile is left out. */
export async function* takeDeliveries(
  client: ResolvedClientOptions,
  calls: GatewayCalls,
  address: string,
  { after = 0, signal }: ListenOptions,
): AsyncGenerator<Delivery, void, undefined> {
  const once = calls.once();
  const take = async (id: string): Promise<Intent | null> => {
    try {
      return await takeRead({ calls: once, address }, id, { signal });
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  };
  for await (const event of calls.deliveries(address, after, signal)) {
    const intent = await persist(client, signal, () => take(event.intent_id));
    if (intent !== null) yield toDelivery(event, intent);
  }
}
