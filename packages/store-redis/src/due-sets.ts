import type { IntentRecord } from '@durable-api/core';
import { laneMember, laneName, laneOf, placeName, type Lane } from './lane.ts';
import type { ShardKeys } from './shard-keys.ts';

/** Numbers the due sets that a script call touches, so that each is named once among its keys. */
export class DueSets {
  readonly #shard: ShardKeys;
  readonly #numbers = new Map<string, number>();
  readonly #lanes: { readonly lane: Lane; readonly number: number }[] = [];

  constructor(shard: ShardKeys) {
    this.#shard = shard;
  }

  /** The keys, in the order of their numbers; then those that the lanes among them have beside. */
  get keys(): string[] {
    const lanes = this.#lanes.flatMap(({ lane }) => {
      const { lanes, line, parked, full } = this.#shard.lanes(lane.operation);
      const { held, late } = this.#shard;
      return [lanes, line, parked, full, held(placeName(lane)), late(laneName(lane))];
    });
    return [...[...this.#numbers.keys()].map((queue) => this.#shard.due(queue)), ...lanes];
  }

  /** What scripts are told of them: how many there are, how many of them are lanes, and which. */
  get args(): string[] {
    const lanes = this.#lanes.flatMap(({ lane, number }) => [
      String(number),
      laneMember(lane),
      lane.key,
    ]);
    return [String(this.#numbers.size), String(this.#lanes.length), ...lanes];
  }

  /** The number of an intent's due set; counts from 1. */
  numberOf(record: Pick<IntentRecord, 'operation' | 'key' | 'priority'>): number {
    const lane = laneOf(record);
    const queue = lane === null ? record.operation : laneName(lane);
    const known = this.#numbers.get(queue);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.#numbers.set(queue, number);
    if (lane !== null) this.#lanes.push({ lane, number });
    return number;
  }
}
