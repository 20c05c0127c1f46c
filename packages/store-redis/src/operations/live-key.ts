const PREFIX = 'live:';

/** The name under which the owner of a live key is kept, among those of idempotency keys. */
export function ownedLiveKey(liveKey: string): string {
  return PREFIX + liveKey;
}

/** Whether a name is one of {@link ownedLiveKey}. */
export function isOwnedLiveKey(key: string): boolean {
  return key.startsWith(PREFIX);
}
