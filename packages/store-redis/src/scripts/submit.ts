import { lua } from './lua.ts';

/**
 * Stores intents. What is there already wins: first the owner of the idempotency key, then the id.
 * Refused when Redis has no memory left; all other scripts go on then, so that intents can end.
 */
export const SUBMIT: string = lua`
#!lua
-- KEYS   [1] ids, [2] stats, then the due sets, then per intent: its hash and, if it is keyed here,
--        the owner of its key and the reservation of its key
-- ARGV   [1] wake-up channel, [2] sender, [3] number of due sets, [4] length of what the keys of
--        intents begin with, then per intent:
--        control, record, meta, input, events. Control is the number of the due set and, if the intent
--        is keyed here, '=' and the id of an owner that is gone and may be replaced, if any
-- result per intent: 1 stored, {record, meta} the id was there, or the id that owns the key
local dues, results, created, members, statuses = {}, {}, {}, {}, {}
local next_key = 2 + ARGV[3]
local id_at = ARGV[4] + 1

for at = 5, #ARGV, 5 do
  local due, keyed, replaced = string.match(ARGV[at], '^(%d+)(=?)(.*)$')
  next_key = next_key + 1
  local intent, owner = KEYS[next_key], nil
  local owner_key, reservation
  if keyed ~= '' then
    owner_key, reservation = KEYS[next_key + 1], KEYS[next_key + 2]
    next_key = next_key + 2
    owner = redis.call('GET', owner_key)
    if owner and owner == replaced and redis.call('EXISTS', reservation) == 0 then owner = nil end
  end

  local result
  if owner then
    result = owner
  elseif redis.call('EXISTS', intent) == 1 then
    result = redis.call('HMGET', intent, 'r', 'm')
  else
    local meta = ARGV[at + 2]
    local id = string.sub(intent, id_at)
    local seq, status, due_at = string.match(meta, '^(%S+) (%S+) %S+ %S+ (%S+)')
    redis.call('HSET', intent, 'r', ARGV[at + 1], 'm', meta, 'n', ARGV[at + 3],
      'e' .. seq, ARGV[at + 4])
    if owner_key then redis.call('SET', owner_key, id) end
    if due_at ~= '-' then
      local set = dues[due]
      if not set then
        set = {}
        dues[due] = set
      end
      set[#set + 1] = due_at
      set[#set + 1] = id
    end
    statuses[status] = (statuses[status] or 0) + 1
    members[#members + 1] = '0'
    members[#members + 1] = id
    created[#created + 1] = id
    result = 1
  end
  results[#results + 1] = result
end

if #created > 0 then
  redis.call('ZADD', KEYS[1], unpack(members))
  for due, set in pairs(dues) do redis.call('ZADD', KEYS[2 + due], unpack(set)) end
  for status, count in pairs(statuses) do redis.call('HINCRBY', KEYS[2], status, count) end
  redis.pcall('SPUBLISH', ARGV[1], ARGV[2] .. ' ' .. table.concat(created, ' '))
end
return results
`;
