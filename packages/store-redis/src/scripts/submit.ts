import { LANES, READ_LANES } from './lanes.ts';
import { lua } from './lua.ts';

/**
 * Stores intents. What is there already wins: first the owner of the idempotency key, then the id.
 * Refused when Redis has no memory left; all other scripts go on then, so that intents can end.
 */
export const SUBMIT: string = lua`
#!lua
-- KEYS   [1] ids, [2] stats, then the due sets, then six for each lane among them, then per intent: its
--        hash and, if it is keyed here, the owner of its key and the reservation of its key
-- ARGV   [1] wake-up channel, [2] sender, [3] length of what the keys of intents begin with,
--        [4] number of due sets, [5] number of lanes, then per lane: due set, lane, key; then per intent:
--        control, record, meta, input, events. Control is the number of the due set and, if the intent
--        is keyed here, '=' and the id of an owner that is gone and may be replaced, if any
-- result per intent: 1 stored, {record, meta} the id was there, or the id that owns the key
${LANES}${READ_LANES}
local due_count, lane_count = tonumber(ARGV[4]), tonumber(ARGV[5])
local lanes = lane_count > 0 and read_lanes(2 + due_count, 6, lane_count)
local dues, results, created, members, statuses = {}, {}, {}, {}, {}
local next_key = 2 + due_count + 6 * lane_count
local id_at = ARGV[3] + 1

for at = 6 + 3 * lane_count, #ARGV, 5 do
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
    local lane = lanes and lanes[due]
    if lane then
      local deadline = string.match(meta, '^%S+ %S+ %S+ %S+ %S+ (%S+)')
      if deadline ~= '-' then redis.call('ZADD', lane.late, deadline, id) end
      lane.is_touched = true
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
  if lanes then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + time[2] / 1000
    for _, lane in pairs(lanes) do
      if lane.is_touched then
        local priority = string.match(lane.member, '^(%S+)\31')
        if redis.call('HSETNX', lane.lanes, 't' .. lane.member, string.format('%.3f', now)) == 1 then
          local levels = redis.call('HGET', lane.lanes, 'l' .. lane.key)
          redis.call('HSET', lane.lanes, 'l' .. lane.key, levels and levels .. ' ' .. priority or priority)
          redis.call('ZADD', lane.line, rank(priority, now), lane.member)
        else
          line_up(lane, lane.member)
        end
      end
    end
  end
  for status, count in pairs(statuses) do redis.call('HINCRBY', KEYS[2], status, count) end
  redis.pcall('SPUBLISH', ARGV[1], ARGV[2] .. ' ' .. table.concat(created, ' '))
end
return results
`;
