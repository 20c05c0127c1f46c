import type { DatabaseSync } from 'node:sqlite';
import type { Call } from '../channel.ts';
import { unpackCommits, unpackSubmits } from '../packed-writes.ts';
import { prepareClaim } from './claim.ts';
import { prepareCommit } from './commit.ts';
import { prepareFind } from './find.ts';
import { preparePrune } from './prune.ts';
import { prepareRead } from './read.ts';
import { prepareRenew, type Renewer } from './renew.ts';
import { prepareSubmit } from './submit.ts';

/** All that can be asked of the database. */
export interface Operations {
  /** Answers a call with what it gives; call it inside a transaction. */
  answer(call: Call): unknown;
  readonly renewer: Renewer;
}

/** Prepares all operations; `origin` marks what this store writes. */
export function prepareOperations(db: DatabaseSync, origin: number): Operations {
  const find = prepareFind(db);
  const submit = prepareSubmit(db, find, origin);
  const claim = prepareClaim(db);
  const commit = prepareCommit(db, find, origin);
  const prune = preparePrune(db);
  const renewer = prepareRenew(db, origin);
  const reader = prepareRead(db, find);
  return {
    renewer,
    answer(call) {
      switch (call.name) {
        case 'submit':
          return submit(unpackSubmits(call.takes));
        case 'claim':
          return claim(call.takes);
        case 'renew':
          return renewer.renew(call.takes);
        case 'commit':
          return commit(unpackCommits(call.takes));
        case 'prune':
          return prune(call.takes);
        case 'get':
          return reader.get(call.takes);
        case 'events':
          return reader.events(call.takes);
        case 'list':
          return reader.list(call.takes);
        case 'stats':
          return reader.stats();
        case 'open':
        case 'close':
          return null;
      }
    },
  };
}
