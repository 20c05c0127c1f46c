import { lua } from './lua.ts';

/**
 * Stores intents. What is there already wins: first the owner of the idempotency key, then the id.
 * Refused when Redis has no memory left; all other scripts go on then, so that intents can end.
 */
export const SUBMIT: string = lua`
#!lua
-- KEYS   [1] ids, [2] stats, then the due sets, then per intent: its hash and, if it is keyed here,
--        the owner of its key and the reservation of its key
-- ARGV   [1] wake-up channel, [2] sender, [3] number of due sets, then per intent:
--        id, due set (0 for none), due_at, status, record, meta, input, event field, events,
--        and the key's mode: '' not keyed here, '=' keyed, '=' .. id keyed and takes over from that id
-- result per intent: 1 stored, {record, meta} the id was there, or the id that owns the key
local dues, results, created, members, statuses = {}, {}, {}, {}, {}
local due_count = tonumber(ARGV[3])
local next_key = 2 + due_count

for at = 4, #ARGV, 10 do
  local id, mode = ARGV[at], ARGV[at + 9]
  next_key = next_key + 1
  local intent, owner = KEYS[next_key], nil
  local owner_key, reservation
  if mode ~= '' then
    owner_key, reservation = KEYS[next_key + 1], KEYS[next_key + 2]
    next_key = next_key + 2
    owner = redis.call('GET', owner_key)
    if owner and owner == string.sub(mode, 2) and redis.call('EXISTS', reservation) == 0 then
      owner = nil
    end
  end

  local result
  if owner then
    result = owner
  elseif redis.call('EXISTS', intent) == 1 then
    result = redis.call('HMGET', intent, 'r', 'm')
  else
    redis.call('HSET', intent, 'r', ARGV[at + 4], 'm', ARGV[at + 5], 'n', ARGV[at + 6],
      ARGV[at + 7], ARGV[at + 8])
    if owner_key then redis.call('SET', owner_key, id) end
    local due = tonumber(ARGV[at + 1])
    if due > 0 then
      local set = dues[due]
      if not set then
        set = {}
        dues[due] = set
      end
      set[#set + 1] = ARGV[at + 2]
      set[#set + 1] = id
    end
    local status = ARGV[at + 3]
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
