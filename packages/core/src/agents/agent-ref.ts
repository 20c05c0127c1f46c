/** A remote worker, in whatever language, that is given intents by a gateway. */
export interface AgentRef {
  /** `agent://organisation/workspace/name`, or `agent://name` for one of the gateway's own. */
  readonly address: string;
  /** What kind of work it is, as the agent sees it. Default: made of the operation's name. */
  readonly intentType?: string | undefined;
}

/** An {@link AgentRef} with every default in place. */
export interface AgentTarget {
  readonly address: string;
  readonly intentType: string;
}

/** What addresses of agents begin with. */
const SCHEME = 'agent://';
/** Longest address, and longest type of an intent, in characters. */
const MAX_ADDRESS = 383;
const MAX_TYPE = 255;

/** Whether what a handler starts, or has started, is an agent's: an operation has no such name. */
export function isAgentAddress(name: string): boolean {
  return name.startsWith(SCHEME);
}

/** Whether a value is an agent: its address, or that with the type of the intent. */
export function isAgent(value: unknown): value is string | AgentRef {
  if (typeof value === 'string') return isAddress(value);
  if (typeof value !== 'object' || value === null || !('address' in value)) return false;
  const { address, intentType, ...others }: { address: unknown; intentType?: unknown } = value;
  if (Object.keys(others).length > 0 || typeof address !== 'string') return false;
  return isAddress(address) && (intentType === undefined || isIntentType(intentType));
}

/** What the options of `operation`, or its handler, say of an agent. */
export function agentTarget(agent: string | AgentRef, operation: string): AgentTarget {
  const { address, intentType = intentTypeOf(operation) } =
    typeof agent === 'string' ? { address: agent } : agent;
  return { address, intentType };
}

/** The type of the intents of an operation: `reports.generate.v1` of `reports.generate`. */
export function intentTypeOf(operation: string): string {
  const words = operation
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9_]+/)
    .filter((word) => word !== '');
  const version = /^v\d+$/.test(words.at(-1) ?? '') ? words.pop() : 'v1';
  const kind = words.length > 1 ? words : ['operation', ...words];
  return [
    ...kind
      .join('.')
      .slice(0, MAX_TYPE - 20)
      .split('.'),
    version,
  ].join('.');
}

function isAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS && /^agent:\/\/[^\s/\p{Cc}]+(?:\/[^\s/\p{Cc}]+)*$/u.test(text);
}

function isIntentType(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length <= MAX_TYPE &&
    /^[a-z0-9_]+(?:\.[a-z0-9_-]+)+$/.test(value)
  );
}
