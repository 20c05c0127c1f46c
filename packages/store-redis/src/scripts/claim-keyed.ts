import { LANES } from './lanes.ts';
import { lua } from './lua.ts';

/**
 * Takes the leases of intents with keys in one shard, in turns. The keys of a lane are computed, so they
 * are looked at under pcall first, like the intents: while their slot moves to another node, the lane is
 * left alone.
 */
export const CLAIM_KEYED: string = lua`
#!lua flags=allow-oom
-- KEYS   per operation: its lanes, those in line, parked and full
-- ARGV   [1] limit, [2] holder, [3] lease in ms, [4] what all keys begin with, [5] what the keys of
--        intents begin with, [6] bytes after which no more is taken, [7] the lowest priority to serve,
--        then per operation: name, room, places of each key, leases per period, period in ms, each a
--        number or '-'
-- result now, next due_at or '', number of operations that a place of a key is waited for in, then per
--        lease: id, record, line feed, old due_at, blank, meta; and input
${LANES}
local limit, holder, lease_ms = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local base, prefix, max_bytes, lowest = ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local again_ms = 250
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local now_text, until_at = string.format('%.0f', now), string.format('%.0f', now + lease_ms)
local turn = time[1] * 1000 + time[2] / 1000
local results = {now_text, '', 0}
local bytes = 0

local operations = {}
for i = 1, #KEYS / 4 do
  local at = 8 + 5 * (i - 1)
  operations[i] = {
    lanes = KEYS[4 * i - 3], line = KEYS[4 * i - 2], parked = KEYS[4 * i - 1], full = KEYS[4 * i],
    name = ARGV[at], room = tonumber(ARGV[at + 1]) or math.huge, per_key = tonumber(ARGV[at + 2]),
    rate = tonumber(ARGV[at + 3]), period = tonumber(ARGV[at + 4])
  }
  for _, set in ipairs({KEYS[4 * i - 1], KEYS[4 * i]}) do
    for _, member in ipairs(redis.call('ZRANGE', set, '-inf', now_text, 'BYSCORE')) do
      line_up(operations[i], member)
    end
  end
end

local function first_in_line()
  local best, best_rank, best_member
  for _, operation in ipairs(operations) do
    if operation.room > 0 then
      local first = redis.call('ZRANGE', operation.line, 0, 0, 'WITHSCORES')
      local its = tonumber(first[2])
      if its and (not best or its < best_rank) then
        best, best_rank, best_member = operation, its, first[1]
      end
    end
  end
  return best, best_member
end

local function park(operation, lane, set, look_at)
  redis.call('ZREM', operation.line, lane.member)
  redis.call('ZADD', set, look_at, lane.member)
end

local function remove(operation, lane)
  redis.call('ZREM', operation.line, lane.member)
  redis.call('HDEL', operation.lanes, 't' .. lane.member)
  local left = {}
  for priority in string.gmatch(redis.call('HGET', operation.lanes, 'l' .. lane.key) or '', '%S+') do
    if priority ~= lane.priority then left[#left + 1] = priority end
  end
  if #left > 0 then
    redis.call('HSET', operation.lanes, 'l' .. lane.key, table.concat(left, ' '))
  else
    redis.call('HDEL', operation.lanes, 'l' .. lane.key)
  end
end

local function read(id)
  local fields = redis.pcall('HMGET', prefix .. id, 'r', 'm', 'n')
  if fields.err or not fields[2] then return nil end
  local intent = {id = id, record = fields[1], input = fields[3]}
  intent.seq, intent.status, intent.lease, intent.lost, intent.due_at, intent.deadline, intent.cancel,
    intent.holder = string.match(fields[2], '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return intent
end

local function write(intent)
  local meta = table.concat({intent.seq, intent.status, intent.lease, intent.lost, intent.due_at,
    intent.deadline, intent.cancel, intent.holder}, ' ')
  redis.call('HSET', prefix .. intent.id, 'm', meta)
  return meta
end

local function lose(intent)
  if intent.holder == '' then return end
  intent.lost = string.format('%.0f', intent.lost + 1)
  intent.holder = ''
end

-- Has a place free, if need be by the end of a lease: that is out of its holder's hands then, for good.
-- Else says when the first of them ends.
local function full_until(operation, lane)
  if not operation.per_key or redis.call('SCARD', lane.held) < operation.per_key then return nil end
  local first
  for _, id in ipairs(redis.call('SMEMBERS', lane.held)) do
    local intent = read(id)
    if intent and intent.holder ~= '' and intent.due_at ~= '-' and tonumber(intent.due_at) > now then
      first = math.min(first or math.huge, tonumber(intent.due_at))
    elseif intent then
      lose(intent)
      write(intent)
      redis.call('SREM', lane.held, id)
    end
  end
  if redis.call('SCARD', lane.held) < operation.per_key then return nil end
  return first or now + again_ms
end

local function paced_until(operation, lane)
  if not operation.rate then return nil end
  redis.call('ZREMRANGEBYSCORE', lane.starts, '-inf', string.format('%.0f', now - operation.period))
  if redis.call('ZCARD', lane.starts) < operation.rate then return nil end
  return tonumber(redis.call('ZRANGE', lane.starts, 0, 0, 'WITHSCORES')[2]) + operation.period
end

-- What is past its deadline will not be worked on, so that it needs no place.
local function too_late(lane)
  for _, id in ipairs(redis.call('ZRANGE', lane.late, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, 16)) do
    local intent = read(id)
    if intent and intent.holder == '' and intent.due_at ~= '-' and tonumber(intent.due_at) <= now then
      return intent
    end
  end
end

local function longest_due(lane)
  for _, id in ipairs(redis.call('ZRANGE', lane.due, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, 16)) do
    local intent = read(id)
    if intent then return intent end
  end
end

local function take(operation, lane, intent)
  local was_due_at = intent.due_at
  lose(intent)
  intent.holder, intent.due_at = holder, until_at
  intent.lease = string.format('%.0f', intent.lease + 1)
  local deadline = tonumber(intent.deadline)
  if deadline and deadline > now and deadline < now + lease_ms then intent.due_at = intent.deadline end
  local meta = write(intent)
  redis.call('ZADD', lane.due, intent.due_at, intent.id)
  redis.call('SADD', lane.held, intent.id)
  results[#results + 1] = intent.id .. intent.record .. '\n' .. was_due_at .. ' ' .. meta
  results[#results + 1] = intent.input
  bytes = bytes + #intent.record + #intent.input
  limit = limit - 1
  operation.room = operation.room - 1
  turn = turn + 0.125
  redis.call('HSET', operation.lanes, 't' .. lane.member, string.format('%.3f', turn))
  redis.call('ZADD', operation.line, rank(lane.priority, turn), lane.member)
end

local function serve(operation, lane)
  if type(redis.pcall('EXISTS', lane.due, lane.held, lane.late, lane.starts)) ~= 'number' then
    return park(operation, lane, operation.parked, now + again_ms)
  end
  local first = redis.call('ZRANGE', lane.due, 0, 0, 'WITHSCORES')[2]
  if not first then return remove(operation, lane) end
  if tonumber(first) > now then return park(operation, lane, operation.parked, first) end
  local intent = too_late(lane)
  if intent then return take(operation, lane, intent) end
  local full, paced = full_until(operation, lane), paced_until(operation, lane)
  if full or paced then
    local deadline = redis.call('ZRANGE', lane.late, '(' .. now_text, '+inf', 'BYSCORE', 'LIMIT', 0, 1,
      'WITHSCORES')[2]
    local look_at = math.min(full or math.huge, tonumber(deadline) or math.huge, paced or math.huge)
    return park(operation, lane, full and operation.full or operation.parked,
      string.format('%.0f', look_at))
  end
  intent = longest_due(lane)
  if not intent then return park(operation, lane, operation.parked, now + again_ms) end
  take(operation, lane, intent)
  if operation.rate then
    redis.call('ZADD', lane.starts, now_text, intent.id .. intent.lease)
    redis.call('PEXPIRE', lane.starts, operation.period)
  end
end

while limit > 0 and bytes < max_bytes do
  local operation, member = first_in_line()
  if not operation then break end
  local priority, key = string.match(member, '^(%S+)\31(.*)$')
  if tonumber(priority) < lowest then break end
  local place, name = operation.name .. '\31' .. key, ' ' .. operation.name .. '\31' .. member
  serve(operation, {
    member = member, priority = priority, key = key, due = base .. 'due:' .. name,
    held = base .. 'held:' .. place, late = base .. 'late:' .. name, starts = base .. 'starts:' .. place
  })
end

local next_due
for _, operation in ipairs(operations) do
  if redis.call('ZCARD', operation.full) > 0 then results[3] = results[3] + 1 end
  if operation.room > 0 then
    if redis.call('ZCARD', operation.line) > 0 then next_due = now end
    for _, set in ipairs({operation.parked, operation.full}) do
      local first = tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2])
      if first and (not next_due or first < next_due) then next_due = first end
    end
  end
end
if next_due then results[2] = string.format('%.0f', next_due) end
return results
`;
