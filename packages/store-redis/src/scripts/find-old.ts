import { lua } from './lua.ts';

/** Finds ended intents that may be removed. */
export const FIND_OLD: string = lua`
#!lua flags=no-writes
-- KEYS   [1] ended, [2] keyed by end, [3] keyed by creation
-- ARGV   [1] bound of the end, [2] bound of the creation of keyed ones, [3] limit; bounds exclusive
-- result members: id, or id, blank, idempotency key
local ended_before, keyed_before, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local found = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ended_before, 'BYSCORE', 'LIMIT', 0, limit)

-- What ended before an instant was created before it. So the earlier bound is looked up, and only if
-- it is that of the creation, the other one has to be checked.
local by_end = tonumber(ended_before) <= tonumber(keyed_before)
local set = by_end and KEYS[2] or KEYS[3]
local bound = by_end and ended_before or keyed_before
local offset, page = 0, 256
while #found < limit do
  local members = redis.call('ZRANGE', set, '-inf', '(' .. bound, 'BYSCORE', 'LIMIT', offset, page)
  for _, member in ipairs(members) do
    local old = by_end or tonumber(redis.call('ZSCORE', KEYS[2], member)) < tonumber(ended_before)
    if old and #found < limit then found[#found + 1] = member end
  end
  offset = offset + page
  if #members < page or offset >= 16384 then break end
end
return found
`;
