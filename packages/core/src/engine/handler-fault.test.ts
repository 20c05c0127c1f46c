import { expect, it } from 'vitest';
import { HandlerFault } from '../handler-fault.ts';
import { failureOfThrow } from './failure.ts';

it('takes a fault of the handler for a failure that no retry mends, and tells it', () => {
  const fault = new HandlerFault('handler_silent', 'It never answered. Call res.json().');
  expect(failureOfThrow(fault, false)).toEqual({
    failure: {
      code: 'handler_silent',
      message: 'It never answered. Call res.json().',
      retryable: false,
    },
    retryAfterMs: null,
  });
});
