import { endsOf, type IntentRecord, type Note } from '@durable-api/core';
import { canonicalAddress, shortName } from '../addresses/address.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import type { Envelope, Reminding } from './envelope.ts';

/** Who is waited for. */
export interface PendingWith {
  readonly type: 'agent' | 'human' | 'internal';
  readonly ref: string;
  readonly name: string;
}

/** How an intent ended. */
export interface Outcome {
  readonly result?: JsonObject;
  readonly error?: JsonObject;
  readonly reason?: string;
}

/** What of an intent changes and is in no field of its record. */
export interface IntentState {
  readonly policyGeneration: number;
  readonly pendingWith: PendingWith | null;
  /** When it is sent again, unless somebody has taken it. */
  readonly redeliverAt: number | null;
  /** The lease under which an agent works on it. */
  readonly lease: string | null;
  /** When a scenario is looked at again. */
  readonly wakeAt: number | null;
  readonly remindAt: number | null;
  readonly reminders: number;
  readonly reminding: Reminding | null;
  readonly isEscalated: boolean;
  readonly humanTask: JsonObject | null;
  readonly assignedAt: number | null;
  readonly grants: JsonObject;
  readonly envelope: JsonObject;
  readonly controls: JsonObject;
  readonly outcome: Outcome | null;
  /** Where a scenario is; its form is the scenario's own. */
  readonly workflow: JsonObject | null;
  /** The intent of the operation that works on it. */
  readonly operationIntent: { readonly id: string; readonly hasBegun: boolean } | null;
  /** Whether that has ended. */
  readonly isOperationEnded: boolean;
}

/** An intent with all that belongs to it. */
export interface AxpIntent {
  readonly record: IntentRecord;
  readonly envelope: Envelope;
  readonly state: IntentState;
  /** What idempotent calls were answered, by the hash of their keys. */
  readonly answers: ReadonlyMap<string, string>;
}

/** How long whoever created an intent, or took it from its agent, has to hand it on before others do. */
export const SETTLE_MS = 5_000;

/** The note that holds the state. */
const STATE = 'axp';
/** What the notes of answers begin with. */
const ANSWER = 'answer:';

/** The state of an intent of which nothing has been written but its submit. */
export function initialState(envelope: Envelope, createdAt: number): IntentState {
  const { reminding, humanTask } = envelope;
  const isForAgent = envelope.scenario === null && !isForOperation(envelope);
  const afterMs = reminding?.afterMs ?? reminding?.intervalMs ?? null;
  return {
    policyGeneration: 1,
    pendingWith: humanTask === null ? null : humanOf(humanTask),
    // Until it is known to be in the mailbox.
    redeliverAt: isForMailbox(envelope) ? createdAt + SETTLE_MS : null,
    lease: null,
    wakeAt: isForAgent ? null : createdAt + SETTLE_MS,
    remindAt: afterMs === null ? null : createdAt + afterMs,
    reminders: 0,
    reminding,
    isEscalated: false,
    humanTask,
    assignedAt: humanTask === null ? null : createdAt,
    grants: {},
    envelope: {},
    controls: {},
    outcome: null,
    workflow: null,
    operationIntent: null,
    isOperationEnded: false,
  };
}

/** Whether an intent goes to an agent's mailbox: unless a person, a scenario or an operation has it. */
export function isForMailbox(envelope: Envelope): boolean {
  const { humanTask, scenario } = envelope;
  return humanTask === null && scenario === null && !isForOperation(envelope);
}

/** Whether an operation of this API works on it. */
export function isForOperation({ operation = null }: Envelope): boolean {
  return operation !== null;
}

/** Reads the state and the answers from the notes of an intent. */
export function readNotes(
  envelope: Envelope,
  createdAt: number,
  notes: readonly Note[],
): Pick<AxpIntent, 'state' | 'answers'> {
  let state = initialState(envelope, createdAt);
  const answers = new Map<string, string>();
  for (const { key, value } of notes) {
    if (key.startsWith(ANSWER)) answers.set(key.slice(ANSWER.length), value);
    else if (key === STATE) state = { ...state, ...parsed(value) };
  }
  return { state: { ...state, isOperationEnded: endsOf(notes).size > 0 }, answers };
}

export function stateNote(state: IntentState): Note {
  return { key: STATE, value: JSON.stringify(state) };
}

export function answerNote(key: string, answer: string): Note {
  return { key: ANSWER + key, value: answer };
}

/** An agent that is waited for. */
export function agentOf(address: string, key: string): PendingWith {
  return { type: 'agent', ref: canonicalAddress(key), name: shortName(address) };
}

/** The person that a task waits for. */
function humanOf(task: JsonObject): PendingWith {
  const assignees: unknown = task['assignees'];
  const first: unknown = Array.isArray(assignees) ? assignees[0] : undefined;
  const email = task['notify_email'];
  const ref = [first, email].find((one) => typeof one === 'string') ?? 'human';
  return { type: 'human', ref, name: shortName(ref) };
}

function parsed(value: string): Partial<IntentState> {
  const state: unknown = JSON.parse(value);
  // Written by `stateNote`, of this version or an earlier one that had fewer fields.
  return isObject(state) ? state : {};
}
