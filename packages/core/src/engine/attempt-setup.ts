import type { Clock } from '../clock.ts';
import type { ChildHost } from '../handler/host.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Found } from '../store/store.ts';
import type { ChildStarter } from './child-starter.ts';
import type { IntentWriter } from './intent-writer.ts';
import type { Operation } from './operation.ts';

/** What an attempt is made of. */
export interface AttemptSetup {
  readonly operation: Operation;
  readonly input: string;
  readonly writer: IntentWriter;
  /** The fence this attempt holds. */
  readonly lease: number;
  /** The ordinal of this attempt; the record has it only once the start is written. */
  readonly attempt: number;
  /** Whether the start is written, by the submit. */
  readonly isStarted: boolean;
  /** Whether nothing can have been remembered of the intent before. */
  readonly isFresh: boolean;
  /** Whether there is output of a lost attempt, which counts no longer. */
  readonly voidsOutput: boolean;
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  /** Called once, when the handler has returned or thrown; the end is not written yet. */
  readonly onReturned: () => void;
  /** Reads the intent with its notes. */
  readonly read: () => Promise<Found | undefined>;
  /** Reads other intents. */
  readonly find: ChildHost['find'];
  readonly children: ChildStarter;
  /** Cancels the intent's children, before it ends. */
  readonly cancelChildren: (parent: IntentRecord) => Promise<void>;
  /** Whether there is a place for another attempt. */
  readonly hasRoom: () => boolean;
}
