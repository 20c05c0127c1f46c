import { RequestMethod } from '@nestjs/common';

/** What follows the id of an intent in a path. */
export type IntentPart = '' | '/events' | '/result' | '/cancel';

/** A route beside that of a durable method. */
export interface Sibling {
  /** What the name of its method ends with. */
  readonly suffix: string;
  readonly verb: RequestMethod;
  readonly parts: readonly [IntentPart, ...IntentPart[]];
  /** What it is for; null for a route that only says which methods there are. */
  readonly summary: string | null;
}

/** The routes of an intent, and those that answer 405 with what is allowed. */
export const SIBLINGS: readonly Sibling[] = [
  {
    suffix: 'IntentStatus',
    verb: RequestMethod.GET,
    parts: [''],
    summary: 'Status of an intent',
  },
  {
    suffix: 'IntentEvents',
    verb: RequestMethod.GET,
    parts: ['/events'],
    summary: 'Events of an intent, as they happen',
  },
  {
    suffix: 'IntentResult',
    verb: RequestMethod.GET,
    parts: ['/result'],
    summary: 'Result of an intent',
  },
  {
    suffix: 'IntentCancel',
    verb: RequestMethod.DELETE,
    parts: [''],
    summary: 'Cancel an intent',
  },
  {
    suffix: 'IntentCancelByPost',
    verb: RequestMethod.POST,
    parts: ['/cancel'],
    summary: 'Cancel an intent',
  },
  { suffix: 'IntentRefuseGet', verb: RequestMethod.GET, parts: ['/cancel'], summary: null },
  {
    suffix: 'IntentRefusePost',
    verb: RequestMethod.POST,
    parts: ['', '/events', '/result'],
    summary: null,
  },
  {
    suffix: 'IntentRefuseDelete',
    verb: RequestMethod.DELETE,
    parts: ['/events', '/result', '/cancel'],
    summary: null,
  },
  {
    suffix: 'IntentRefusePut',
    verb: RequestMethod.PUT,
    parts: ['', '/events', '/result', '/cancel'],
    summary: null,
  },
  {
    suffix: 'IntentRefusePatch',
    verb: RequestMethod.PATCH,
    parts: ['', '/events', '/result', '/cancel'],
    summary: null,
  },
];
