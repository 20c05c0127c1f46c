import { lua } from './lua.ts';

/**
 * Reserves idempotency keys for intents that live in other shards: the first step of three, see
 * `operations/keyed-submit.ts`. A reservation holds the whole submit, so that whoever finds it can
 * finish it.
 */
export const RESERVE: string = lua`
#!lua
-- KEYS   [1] reserved keys, then per intent: the owner of its key, the reservation of its key
-- ARGV   per intent: idempotency key, id, '' or the id of an owner that is gone and may be replaced,
--        then what the reservation keeps: operation, record, meta, input, events
-- result per intent: 1 reserved, or the id that owns the key
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local results = {}
local next_key = 2
for at = 1, #ARGV, 8 do
  local key, id, replaced = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local owner_key, reservation = KEYS[next_key], KEYS[next_key + 1]
  next_key = next_key + 2
  local owner = redis.call('GET', owner_key)
  if owner and (owner ~= replaced or redis.call('EXISTS', reservation) == 1) then
    results[#results + 1] = owner
  else
    redis.call('SET', owner_key, id)
    redis.call('HSET', reservation, 'id', id, 'operation', ARGV[at + 3], 'record', ARGV[at + 4],
      'meta', ARGV[at + 5], 'input', ARGV[at + 6], 'events', ARGV[at + 7])
    redis.call('ZADD', KEYS[1], now, key)
    results[#results + 1] = 1
  end
end
return results
`;
