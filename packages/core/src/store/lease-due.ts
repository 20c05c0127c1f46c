/**
 * When a leased intent is due: at the end of its lease, or at its deadline if that comes first and is
 * still ahead. A deadline in the past is the holder's to deal with, so then only the lease counts.
 */
export function leaseDueAt(now: number, leaseMs: number, deadlineAt: number | null): number {
  const until = now + leaseMs;
  return deadlineAt !== null && deadlineAt > now ? Math.min(until, deadlineAt) : until;
}
