import type { AgentRef } from '../agents/agent-ref.ts';
import { ChildError } from '../errors.ts';
import type { StoredResponse } from '../state/intent.ts';
import type { ChildEnd } from './child-notes.ts';

/** An operation as `start` takes it in place of its name: what an adapter gives for a declared one. */
export interface OperationRef<Input = unknown, Result = unknown> {
  /** The name that it is declared by. */
  readonly operation: string;
  /** The version of which it is declared, if it has one. */
  readonly version?: string | undefined;
  /** What it takes and gives; for the compiler only. */
  readonly types?: { readonly input: Input; readonly result: Result };
}

/** What a handler sees of a child's request beside its body, and how the child is told apart. */
export interface StartOptions {
  /** Path parameters, `{ id: '7' }`. */
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  /** By names in lower case. They are stored: no credentials. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What the operation's `capture` would have taken of a request, such as `{ user }`. */
  readonly captured?: Readonly<Record<string, unknown>> | undefined;
  /**
   * What the operation's limits and turns go by, 1 to 200 characters: here is no request to ask its `key`
   * about. Default: a key that all who are started without one share.
   */
  readonly key?: string | undefined;
  /**
   * Tells this child apart from the others of the intent. Default: their order does, for each operation.
   * With a name its input may differ from attempt to attempt: the first counts.
   */
  readonly name?: string | undefined;
}

/** An intent that a handler has started. */
export interface Child<Result = unknown> {
  readonly intentId: string;
  readonly operation: string;
  /**
   * Waits for its end, and resolves to what it answered: JSON as its value, text as a string, nothing as
   * undefined, else the bytes. Beyond a second the handler gives up its place, as with `sleep`.
   * @throws ChildError when it FAILED, TIMED_OUT, was CANCELED, or answered with a status from 400 up.
   */
  readonly result: () => Promise<Result>;
}

/** What `start` is. */
export interface Start {
  <Input, Result>(
    operation: OperationRef<Input, Result>,
    input: Input,
    options?: StartOptions,
  ): Promise<Child<Result>>;
  /** An agent: its address, or that with the type of the intent. It is given a JSON object. */
  <Result = unknown>(
    agent: AgentRef,
    input?: unknown,
    options?: Pick<StartOptions, 'name'>,
  ): Promise<Child<Result>>;
  <Result = unknown>(
    operation: string,
    input?: unknown,
    options?: StartOptions,
  ): Promise<Child<Result>>;
}

/** What a child's answer says. */
export function valueOf({ headers, body }: StoredResponse): unknown {
  const type = headers['content-type'] ?? '';
  if (/^application\/(?:[\w.+-]+\+)?json\b/i.test(type) && body.byteLength > 0) {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  }
  if (type.startsWith('text/')) return Buffer.from(body).toString('utf8');
  return body.byteLength === 0 ? undefined : body;
}

/** What a handler is told of a child that has no result for it. */
export function childError(
  operation: string,
  { id, status, error }: ChildEnd,
  answer: { readonly status: number; readonly value: unknown } | null,
): ChildError {
  const child = `The child "${operation}" (${id})`;
  const about = { intentId: id, operation, failure: error, answer };
  switch (status) {
    case 'COMPLETED':
      return new ChildError('child_refused', `${child} answered ${answer?.status}.`, about);
    case 'FAILED':
      return new ChildError('child_failed', `${child} failed: ${error?.message ?? ''}`, about);
    case 'CANCELED':
      return new ChildError('child_canceled', `${child} was canceled.`, about);
    case 'TIMED_OUT':
      return new ChildError('child_timed_out', `${child} missed its deadline.`, about);
    case 'GONE':
      return new ChildError('child_gone', `${child} was removed before its end was known.`, about);
  }
}
