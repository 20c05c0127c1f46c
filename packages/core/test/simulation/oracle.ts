import { eventSchema, isTerminal, type Status } from '@durable-api/protocol';
import type { IntentRecord } from '../../src/state/intent.ts';
import type { MemoryData } from '../../src/store/memory-store.ts';
import type {
  ClaimRequest,
  ClaimResult,
  CommitRequest,
  CommitResult,
  RenewRequest,
  RenewResult,
  StoredEvent,
  SubmitRequest,
  SubmitResult,
} from '../../src/store/store.ts';
import type { Plan } from './plan.ts';
import { promise } from './violation.ts';

/** The table of design §2, written down again. */
const NEXT: Readonly<Record<Status, string>> = {
  CREATED: 'SUBMITTED',
  SUBMITTED: 'DELIVERED IN_PROGRESS WAITING FAILED CANCELED TIMED_OUT',
  DELIVERED: 'ACKNOWLEDGED IN_PROGRESS WAITING COMPLETED FAILED CANCELED TIMED_OUT',
  ACKNOWLEDGED: 'IN_PROGRESS WAITING COMPLETED FAILED CANCELED TIMED_OUT',
  IN_PROGRESS: 'WAITING COMPLETED FAILED CANCELED TIMED_OUT',
  WAITING: 'DELIVERED IN_PROGRESS COMPLETED FAILED CANCELED TIMED_OUT',
  COMPLETED: '',
  FAILED: '',
  CANCELED: '',
  TIMED_OUT: '',
};

/** What the oracle knows of an intent, from what it saw go into the store and nothing else. */
interface Known {
  readonly log: string[];
  readonly deadlineAt: number | null;
  status: Status;
  at: string;
  lease: number;
  isHeld: boolean;
  heldUntil: number;
  dueAt: number | null;
  attempts: number;
  /** The lease under which the latest attempt was started. */
  startedUnder: number;
}

/**
 * Watches every write that reaches the store, and says which promise it breaks. It keeps its own books:
 * what the store believes of leases and logs is what is judged.
 */
export class Oracle {
  readonly #data: MemoryData;
  readonly #plan: Plan;
  readonly #known = new Map<string, Known>();

  constructor(data: MemoryData, plan: Plan) {
    this.#data = data;
    this.#plan = plan;
  }

  get ids(): Iterable<string> {
    return this.#known.keys();
  }

  submitted(batch: readonly SubmitRequest[], results: readonly SubmitResult[]): void {
    for (const [i, { record, events }] of batch.entries()) {
      if (results[i]?.outcome !== 'created') continue;
      promise(!this.#known.has(record.id), () => `2: ${record.id} was created twice`);
      const known: Known = {
        log: [],
        deadlineAt: record.deadlineAt,
        status: 'CREATED',
        at: '',
        lease: record.lease,
        isHeld: record.holder !== null,
        heldUntil: record.dueAt ?? 0,
        dueAt: record.dueAt,
        attempts: 0,
        startedUnder: 0,
      };
      this.#known.set(record.id, known);
      this.#append(record.id, known, events, record);
    }
  }

  claimed(request: ClaimRequest, result: ClaimResult): void {
    promise(result.claimed.length <= request.limit, () => 'a claim took more than its limit');
    for (const { record } of result.claimed) {
      const known = this.#of(record.id);
      const isDue = known.dueAt !== null && known.dueAt <= request.now;
      promise(isDue, () => `4: ${record.id} was claimed before it was due`);
      const isFree = !known.isHeld || known.heldUntil <= request.now;
      promise(isFree, () => `4: ${record.id} was claimed under a live lease`);
      promise(
        record.lease > known.lease,
        () => `4: a claim of ${record.id} did not raise the lease`,
      );
      known.lease = record.lease;
      known.isHeld = true;
      known.heldUntil = this.#leaseEnd(request, known);
      known.dueAt = known.heldUntil;
    }
  }

  renewed(request: RenewRequest, results: RenewResult): void {
    for (const [i, { id, lease, release }] of request.leases.entries()) {
      if (results[i]?.held !== true) continue;
      const known = this.#of(id);
      const isHolder = known.isHeld && known.lease === lease;
      promise(isHolder, () => `4: ${id} was renewed under lease ${lease}, which is not its own`);
      known.isHeld = release !== true;
      known.heldUntil = release === true ? request.now : this.#leaseEnd(request, known);
      known.dueAt = known.heldUntil;
    }
  }

  committed(batch: readonly CommitRequest[], results: readonly CommitResult[]): void {
    for (const [i, { record, expected, events }] of batch.entries()) {
      if (results[i]?.outcome !== 'ok') continue;
      const known = this.#of(record.id);
      if (expected.lease !== null) {
        const isHolder = known.isHeld && known.lease === expected.lease;
        promise(
          isHolder,
          () => `4: ${record.id} was written under the stale lease ${expected.lease}`,
        );
      }
      promise(!isTerminal(known.status), () => `3: ${record.id} was changed after its end`);
      if (record.holder === null) {
        known.isHeld = false;
        known.dueAt = record.dueAt;
        const isRight = (record.dueAt === null) === isTerminal(record.status);
        promise(isRight, () => `8: ${record.id} is ${record.status} and due at ${record.dueAt}`);
      }
      this.#append(record.id, known, events, record);
    }
  }

  /** Compares all that is stored with what was seen. */
  check(): void {
    for (const [id, known] of this.#known) {
      const entry = this.#data.entries.get(id);
      promise(entry !== undefined, () => `1: ${id} is gone`);
      const { record } = entry;
      const events = entry.commits.flat();
      promise(events.length === known.log.length, () => `5: the log of ${id} changed its length`);
      for (const [i, event] of events.entries()) {
        promise(event.seq === i + 1, () => `5: event ${i + 1} of ${id} has seq ${event.seq}`);
        promise(event.json === known.log[i], () => `5: event ${event.seq} of ${id} has changed`);
      }
      promise(record.seq === events.length, () => `5: the seq of ${id} is not its log's`);
      promise(record.status === known.status, () => `3: ${id} is ${record.status}`);
      promise(
        record.attempt === known.attempts,
        () => `8: ${id} counts ${record.attempt} attempts and had ${known.attempts}`,
      );
    }
  }

  #append(
    id: string,
    known: Known,
    events: readonly StoredEvent[],
    { failures }: IntentRecord,
  ): void {
    promise(events.length > 0, () => `5: a change of ${id} has no event`);
    for (const { seq, type, json } of events) {
      const event = eventSchema.parse(JSON.parse(json));
      promise(seq === known.log.length + 1, () => `5: ${id} has a gap before ${seq}`);
      promise(event.seq === seq && event.event_type === type, () => `5: frame ${seq} lies`);
      promise(event.intent_id === id, () => `5: an event of ${event.intent_id} is in ${id}`);
      promise(event.at >= known.at, () => `5: event ${seq} of ${id} is older than the one before`);
      if (known.log.length > 0 && event.status !== known.status) {
        const isLegal = NEXT[known.status].split(' ').includes(event.status);
        promise(isLegal, () => `3: ${id} went from ${known.status} to ${event.status}`);
      }
      const hasReason = event.waiting_reason !== undefined;
      promise(hasReason === (event.status === 'WAITING'), () => `${id} waits without a reason`);
      if (type === 'intent.in_progress') {
        known.attempts += 1;
        promise(event.attempt === known.attempts, () => `${id} has no attempt ${known.attempts}`);
        const isFirst = known.startedUnder < known.lease;
        promise(isFirst, () => `${id} started twice under lease ${known.lease}`);
        known.startedUnder = known.lease;
      }
      known.log.push(json);
      known.status = event.status;
      known.at = event.at;
    }
    const most = this.#plan.operation.retries + 1;
    promise(failures <= most, () => `8: ${id} failed ${failures} times, allowed are ${most}`);
  }

  #leaseEnd({ now, leaseMs }: { now: number; leaseMs: number }, { deadlineAt }: Known): number {
    const until = now + leaseMs;
    return deadlineAt !== null && deadlineAt > now ? Math.min(until, deadlineAt) : until;
  }

  #of(id: string): Known {
    const known = this.#known.get(id);
    promise(known !== undefined, () => `5: ${id} was written and never submitted`);
    return known;
  }
}
