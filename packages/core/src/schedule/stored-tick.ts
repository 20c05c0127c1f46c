import type { Tick } from './schedule-options.ts';

/** The input of an intent, as JSON, with the tick that has started it. */
export function withTick(input: string, { schedule, scheduledFor }: Tick): string {
  const tick = JSON.stringify({ schedule, scheduledFor: scheduledFor.getTime() });
  return `${input.slice(0, -1)},"tick":${tick}}`;
}

/** The instant of the tick that has started an intent with this input; undefined when it was none. */
export function scheduledForOf(input: unknown): Date | undefined {
  const at = member(member(input, 'tick'), 'scheduledFor');
  return typeof at === 'number' ? new Date(at) : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
