import type { Status } from '@durable-api/protocol';

/** Which statuses follow which (design §2). A status may always stay as it is until it is terminal. */
export const NEXT_STATUSES: Readonly<Record<Status, readonly Status[]>> = {
  CREATED: ['SUBMITTED'],
  SUBMITTED: ['DELIVERED', 'IN_PROGRESS', 'WAITING', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  DELIVERED: [
    'ACKNOWLEDGED',
    'IN_PROGRESS',
    'WAITING',
    'COMPLETED',
    'FAILED',
    'CANCELED',
    'TIMED_OUT',
  ],
  ACKNOWLEDGED: ['IN_PROGRESS', 'WAITING', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  IN_PROGRESS: ['WAITING', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  WAITING: ['DELIVERED', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  COMPLETED: [],
  FAILED: [],
  CANCELED: [],
  TIMED_OUT: [],
};
