import { RequestMethod } from '@nestjs/common';

/** What follows the id of an intent in a path. */
export type IntentPart =
  | ''
  | '/events'
  | '/result'
  | '/cancel'
  | '/retry'
  | '/ticket'
  | '/output'
  | '/signals/:signal_name';

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
  {
    suffix: 'IntentRetry',
    verb: RequestMethod.POST,
    parts: ['/retry'],
    summary: 'Retry an intent that ended without a result',
  },
  // Answers 404 unless tickets are on, so no document promises it.
  { suffix: 'IntentTicket', verb: RequestMethod.POST, parts: ['/ticket'], summary: null },
  {
    suffix: 'IntentOutput',
    verb: RequestMethod.GET,
    parts: ['/output'],
    summary: 'Output of an intent, as it comes',
  },
  {
    suffix: 'IntentSignal',
    verb: RequestMethod.POST,
    parts: ['/signals/:signal_name'],
    summary: 'Signal to an intent',
  },
  {
    suffix: 'IntentRefuseGet',
    verb: RequestMethod.GET,
    parts: ['/cancel', '/retry', '/signals/:signal_name'],
    summary: null,
  },
  {
    suffix: 'IntentRefusePost',
    verb: RequestMethod.POST,
    parts: ['', '/events', '/result', '/output'],
    summary: null,
  },
  {
    suffix: 'IntentRefuseDelete',
    verb: RequestMethod.DELETE,
    parts: ['/events', '/result', '/cancel', '/retry', '/output', '/signals/:signal_name'],
    summary: null,
  },
  {
    suffix: 'IntentRefusePut',
    verb: RequestMethod.PUT,
    parts: ['', '/events', '/result', '/cancel', '/retry', '/output', '/signals/:signal_name'],
    summary: null,
  },
  {
    suffix: 'IntentRefusePatch',
    verb: RequestMethod.PATCH,
    parts: ['', '/events', '/result', '/cancel', '/retry', '/output', '/signals/:signal_name'],
    summary: null,
  },
];
