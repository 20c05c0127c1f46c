/**
 * Waits for `part` and calls `onSilence` once when it has taken `limitMs`. The wall clock counts too:
 * it goes on while a machine sleeps, when timers may not.
 */
export async function watchSilence<T>(
  part: Promise<T>,
  limitMs: number,
  onSilence: () => void,
): Promise<T> {
  const since = { wall: Date.now(), steady: performance.now() };
  const look = (): void => {
    const elapsedMs = Math.max(Date.now() - since.wall, performance.now() - since.steady);
    if (elapsedMs < limitMs) return;
    clearInterval(timer);
    onSilence();
  };
  const timer = setInterval(look, Math.min(limitMs / 4, 2_000));
  try {
    return await part;
  } finally {
    clearInterval(timer);
  }
}
