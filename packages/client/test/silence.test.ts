import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { delay, parseRetryAfter } from '../src/backoff.ts';
import { watchSilence } from '../src/silence.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('notices a silence once, when it has lasted long enough', () => {
  const onSilence = vi.fn();
  void watchSilence(new Promise(() => {}), 30_000, onSilence);
  vi.advanceTimersByTime(29_999);
  expect(onSilence).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(onSilence).toHaveBeenCalledTimes(1);
});

it('notices after a sleep of the machine within two seconds, though its timers stood still', () => {
  const onSilence = vi.fn();
  void watchSilence(new Promise(() => {}), 30_000, onSilence);
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(2_000);
  expect(onSilence).toHaveBeenCalledTimes(1);
});

it('is not misled by a clock that is set back', () => {
  const onSilence = vi.fn();
  void watchSilence(new Promise(() => {}), 30_000, onSilence);
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(30_000);
  expect(onSilence).toHaveBeenCalledTimes(1);
});

it('stops watching when the part has come', async () => {
  expect(await watchSilence(Promise.resolve(7), 1_000, () => {})).toBe(7);
  await expect(watchSilence(Promise.reject(new Error('cut')), 1_000, () => {})).rejects.toThrow(
    'cut',
  );
  expect(vi.getTimerCount()).toBe(0);
});

it('ends a delay early when the machine is back online', async () => {
  vi.stubGlobal(
    'addEventListener',
    (_: string, listener: () => void) => void setTimeout(listener, 10),
  );
  vi.stubGlobal('removeEventListener', () => {});
  const waited = delay(60_000, undefined);
  vi.advanceTimersByTime(10);
  await waited;
  expect(vi.getTimerCount()).toBe(0);
  vi.unstubAllGlobals();
});

it('reads Retry-After as seconds or as a date, never as a time before now', () => {
  expect(parseRetryAfter('120')).toBe(120_000);
  expect(parseRetryAfter(new Date(Date.now() + 5_000).toUTCString())).toBeGreaterThan(3_000);
  expect(parseRetryAfter('Wed, 21 Oct 2015 07:28:00 GMT')).toBe(0);
  expect(parseRetryAfter('soon')).toBeUndefined();
  expect(parseRetryAfter(null)).toBeUndefined();
});
