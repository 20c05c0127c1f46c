import { DurableError, type OperationRef } from '@durable-api/core';

/** The options of {@link gateway}. */
export interface GatewayOptions {
  /** Admin keys that are not minted: from your secrets, at least 16 characters each. Default: none. */
  readonly adminKeys?: readonly string[] | undefined;
  /** Lets anybody do everything without a key. For trials on one machine. Default false. */
  readonly open?: boolean | undefined;
  /** The organisation of names without one. Default `default`. */
  readonly org?: string | undefined;
  /** The workspace of names without one. Default `default`. */
  readonly workspace?: string | undefined;
  /**
   * Operations of this API that work on what is sent to an address, by the address: `{ 'agent://acme/production/reports':
   * 'reports.generate' }`. All gateways of one store need the same. Default: none.
   */
  readonly operations?: Readonly<Record<string, GatewayOperation>> | undefined;
  /** How long an agent has to take an intent before it is sent again. Default 10,000 ms; doubles each time. */
  readonly redeliverMs?: number | undefined;
  /** The most streams of this process. Default 5,000. */
  readonly maxStreams?: number | undefined;
  /** Largest request body. Default 524,288 bytes. */
  readonly maxBodyBytes?: number | undefined;
  /** Repeats the main members of an intent beside `intent`, as some older examples read them. Default false. */
  readonly mirrorIntent?: boolean | undefined;
}

/** An operation, by its name or what it was declared with, and whose its intents are; default `''`. */
export type GatewayOperation =
  | string
  | OperationRef
  | { readonly operation: string | OperationRef; readonly owner?: string | undefined };

/** Options with every default in place. */
export interface ResolvedGatewayOptions {
  readonly adminKeys: readonly string[];
  readonly open: boolean;
  readonly org: string;
  readonly workspace: string;
  readonly operations: Readonly<Record<string, GatewayOperation>>;
  readonly redeliverMs: number;
  readonly maxStreams: number;
  readonly maxBodyBytes: number;
  readonly mirrorIntent: boolean;
}

const DEFAULTS: ResolvedGatewayOptions = {
  adminKeys: [],
  open: false,
  org: 'default',
  workspace: 'default',
  operations: {},
  redeliverMs: 10_000,
  maxStreams: 5_000,
  maxBodyBytes: 524_288,
  mirrorIntent: false,
};

/** @throws DurableError `options_invalid` naming each wrong option. */
export function resolveGatewayOptions(given: GatewayOptions): ResolvedGatewayOptions {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const wrong = entries.flatMap(([name, value]) => problemOf(name, value) ?? []);
  if (wrong.length > 0) throw new DurableError('options_invalid', `gateway: ${wrong.join('; ')}`);
  return { ...DEFAULTS, ...Object.fromEntries(entries) };
}

function problemOf(name: string, value: unknown): string | null {
  switch (name) {
    case 'adminKeys':
      return Array.isArray(value) && value.every(isKey)
        ? null
        : 'adminKeys must be a list of keys of at least 16 characters';
    case 'open':
    case 'mirrorIntent':
      return typeof value === 'boolean' ? null : `${name} must be true or false`;
    case 'org':
    case 'workspace':
      return typeof value === 'string' && /^[\w.-]{1,100}$/.test(value)
        ? null
        : `${name} must be a name of letters, digits, "_", "." and "-"`;
    case 'operations':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? null
        : "operations must be operations by address: { 'agent://acme/production/reports': 'reports.generate' }";
    case 'redeliverMs':
    case 'maxStreams':
    case 'maxBodyBytes':
      return typeof value === 'number' && Number.isInteger(value) && value >= 1
        ? null
        : `${name} must be an integer of at least 1`;
    default:
      return `there is no option ${name}; there are ${Object.keys(DEFAULTS).join(', ')}`;
  }
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 16;
}
