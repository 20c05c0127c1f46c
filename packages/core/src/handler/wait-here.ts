import type { HandlerHost } from './host.ts';

/** Waits in this process. Rejects with the signal's reason when the attempt must stop. */
export function waitHere(
  { clock, signal }: Pick<HandlerHost, 'clock' | 'signal'>,
  delayMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason instanceof Error ? signal.reason : new Error('Aborted.'));
    };
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    signal.addEventListener('abort', abort, { once: true });
  });
}
