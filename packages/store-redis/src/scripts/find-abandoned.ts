import { lua } from './lua.ts';

/** Finds reservations whose submitter has not come back to confirm them. */
export const FIND_ABANDONED: string = lua`
#!lua flags=no-writes
-- KEYS   [1] reserved keys
-- ARGV   [1] age in ms from which on they count as abandoned, [2] limit
-- result the keys, the oldest first
local time = redis.call('TIME')
local until_at = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]
return redis.call('ZRANGE', KEYS[1], '-inf', string.format('%.0f', until_at), 'BYSCORE',
  'LIMIT', 0, ARGV[2])
`;
