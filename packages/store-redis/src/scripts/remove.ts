import { lua } from './lua.ts';

/** Removes ended intents with all that belongs to them. */
export const REMOVE: string = lua`
#!lua flags=allow-oom
-- KEYS   [1] ids, [2] stats, [3] ended, [4] keyed by end, [5] keyed by creation, then the intents
-- ARGV   per intent: id, member of the ended sets
-- result how many were there
local removed = 0
local statuses = {}
for i = 6, #KEYS do
  local at = 2 * (i - 6) + 1
  local meta = redis.call('HGET', KEYS[i], 'm')
  if meta then
    local status = string.match(meta, '^%S+ (%S+)')
    statuses[status] = (statuses[status] or 0) + 1
    redis.call('UNLINK', KEYS[i])
    redis.call('ZREM', KEYS[1], ARGV[at])
    removed = removed + 1
  end
  redis.call('ZREM', KEYS[3], ARGV[at + 1])
  redis.call('ZREM', KEYS[4], ARGV[at + 1])
  redis.call('ZREM', KEYS[5], ARGV[at + 1])
end
for status, count in pairs(statuses) do redis.call('HINCRBY', KEYS[2], status, -count) end
return removed
`;
