import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeaseGuard } from '../src/lease-guard.ts';

const LEASE_MS = 3_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A guard over `count` leases that notes when it renews them. */
function guardOver(count: number): { guard: LeaseGuard; renewals: number[] } {
  const renewals: number[] = [];
  const startedAt = performance.now();
  const renewAll = (): number => {
    renewals.push(Math.round(performance.now() - startedAt));
    return count;
  };
  return { guard: new LeaseGuard({ renewAll }), renewals };
}

describe('the lease guard', () => {
  it('renews for a silent main thread, each third, until one lease after it was last heard', () => {
    const { guard, renewals } = guardOver(1);
    guard.hear();
    guard.hold(LEASE_MS);
    vi.advanceTimersByTime(60_000);
    expect(renewals).toEqual([1_100, 2_200]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves it to a main thread that renews in time', () => {
    const { guard, renewals } = guardOver(1);
    guard.hear();
    guard.hold(LEASE_MS);
    for (let i = 0; i < 20; i += 1) {
      vi.advanceTimersByTime(LEASE_MS / 3);
      guard.hear();
      guard.renewed(LEASE_MS);
    }
    expect(renewals).toEqual([]);
  });

  it('does not keep what a main thread that is alive has stopped renewing', () => {
    const { guard, renewals } = guardOver(1);
    guard.hear();
    guard.hold(LEASE_MS);
    for (let i = 0; i < 100; i += 1) {
      vi.advanceTimersByTime(50);
      guard.hear();
    }
    expect(renewals).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('renews in time though the main thread was last heard long after its last renewal', () => {
    const { guard, renewals } = guardOver(1);
    guard.hear();
    guard.hold(LEASE_MS);
    vi.advanceTimersByTime(900);
    guard.hear();
    vi.advanceTimersByTime(60_000);
    expect(renewals).toEqual([1_100, 2_200, 3_300]);
  });

  it('rests when no lease is left', () => {
    const { guard, renewals } = guardOver(0);
    guard.hear();
    guard.hold(LEASE_MS);
    vi.advanceTimersByTime(60_000);
    expect(renewals).toEqual([1_100]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops', () => {
    const { guard, renewals } = guardOver(1);
    guard.hold(LEASE_MS);
    guard.stop();
    vi.advanceTimersByTime(60_000);
    expect(renewals).toEqual([]);
  });
});
