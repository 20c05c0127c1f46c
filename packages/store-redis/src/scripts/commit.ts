import { LANES, READ_LANES } from './lanes.ts';
import { lua } from './lua.ts';

/** Writes changes of intents, each guarded by its seq and by the lease of who makes it. */
export const COMMIT: string = lua`
#!lua flags=allow-oom
-- KEYS   [1] stats, [2] ended, [3] keyed by end, [4] keyed by creation, then the due sets, then six
--        for each lane among them, then per commit: the intent's hash
-- ARGV   [1] wake-up channel, [2] sender, [3] length of what the keys of intents begin with,
--        [4] number of due sets, [5] number of lanes, then per lane: due set, lane, key; then per commit:
--        control, record, events, then the idempotency key if it has one and ends, then the result, if
--        it has one, then the input, if it is replaced. Control is in words: due set, expected seq, expected lease or '-', seq, status,
--        due_at or '-' if the lease is given up, else '=', deadline_at or '-', '1' if a cancel was
--        requested, updated_at, created_at or '-' if no idempotency key follows, '1' if a result does,
--        '1' if an input does, and how many notes follow after that: key and value each
-- result per commit: 1 written, 0 missing, 2 stale, or {record, meta} if it has moved on
${LANES}${READ_LANES}
local due_count, lane_count = tonumber(ARGV[4]), tonumber(ARGV[5])
local lanes = lane_count > 0 and read_lanes(4 + due_count, 6, lane_count)
local next_key = 4 + due_count + 6 * lane_count
local id_at = ARGV[3] + 1
local results, written, dues, done, statuses = {}, {}, {}, {}, {}
local ended, keyed_ended, keyed_created = {}, {}, {}
local at = 6 + 3 * lane_count
while at <= #ARGV do
  next_key = next_key + 1
  local intent = KEYS[next_key]
  local due, expected_seq, expected_lease, next_seq, next_status, next_due, deadline, cancel,
    updated_at, created_at, has_result, has_input, notes = string.match(ARGV[at],
    '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  local key, answer, input
  local after = at + 3
  if created_at ~= '-' then
    key = ARGV[after]
    after = after + 1
  end
  if has_result == '1' then
    answer = ARGV[after]
    after = after + 1
  end
  if has_input == '1' then
    input = ARGV[after]
    after = after + 1
  end
  local notes_at = after
  after = after + 2 * notes

  local meta = redis.call('HGET', intent, 'm')
  local result
  if not meta then
    result = 0
  else
    local seq, status, lease, lost, due_at, holder =
      string.match(meta, '^(%S+) (%S+) (%S+) (%S+) (%S+) %S+ %S+ (.*)$')
    if expected_lease ~= '-' and (lease ~= expected_lease or holder == '') then
      result = 2
    elseif seq ~= expected_seq then
      result = {redis.call('HGET', intent, 'r'), meta}
    else
      result = 1
      local id = string.sub(intent, id_at)
      if next_due ~= '=' then
        due_at = next_due
        holder = ''
        local lane = lanes and lanes[due]
        if lane then
          redis.call('SREM', lane.held, id)
          if due_at == '-' then redis.call('ZREM', lane.late, id) end
          lane.is_touched = true
        end
        if due_at == '-' then
          local set = done[due] or {}
          done[due] = set
          set[#set + 1] = id
          if key then
            keyed_ended[#keyed_ended + 1] = updated_at
            keyed_ended[#keyed_ended + 1] = id .. ' ' .. key
            keyed_created[#keyed_created + 1] = created_at
            keyed_created[#keyed_created + 1] = id .. ' ' .. key
          else
            ended[#ended + 1] = updated_at
            ended[#ended + 1] = id
          end
        else
          local set = dues[due] or {}
          dues[due] = set
          set[#set + 1] = due_at
          set[#set + 1] = id
        end
      end
      meta = table.concat({next_seq, next_status, lease, lost, due_at, deadline, cancel, holder}, ' ')
      if answer then
        redis.call('HSET', intent, 'r', ARGV[at + 1], 'm', meta, 'e' .. next_seq, ARGV[at + 2],
          'a', answer)
      else
        redis.call('HSET', intent, 'r', ARGV[at + 1], 'm', meta, 'e' .. next_seq, ARGV[at + 2])
      end
      if input then redis.call('HSET', intent, 'n', input) end
      if notes_at < after then
        local count = tonumber(redis.call('HGET', intent, 'c') or 0)
        local before = count
        for i = notes_at, after - 1, 2 do
          if redis.call('HSET', intent, 'k' .. ARGV[i], ARGV[i + 1]) == 1 then
            count = count + 1
            redis.call('HSET', intent, 'i' .. string.format('%.0f', count), ARGV[i])
          end
        end
        if count > before then redis.call('HSET', intent, 'c', string.format('%.0f', count)) end
      end
      if status ~= next_status then
        statuses[status] = (statuses[status] or 0) - 1
        statuses[next_status] = (statuses[next_status] or 0) + 1
      end
      written[#written + 1] = id
    end
  end
  results[#results + 1] = result
  at = after
end

-- What ends is taken off last: nothing of the same batch makes it due again.
for due, set in pairs(dues) do redis.call('ZADD', KEYS[4 + due], unpack(set)) end
for due, set in pairs(done) do redis.call('ZREM', KEYS[4 + due], unpack(set)) end
if #ended > 0 then redis.call('ZADD', KEYS[2], unpack(ended)) end
if #keyed_ended > 0 then
  redis.call('ZADD', KEYS[3], unpack(keyed_ended))
  redis.call('ZADD', KEYS[4], unpack(keyed_created))
end
if lanes then
  for _, lane in pairs(lanes) do
    if lane.is_touched then free_place(lane) end
  end
end
for status, change in pairs(statuses) do
  if change ~= 0 then redis.call('HINCRBY', KEYS[1], status, change) end
end
if #written > 0 then
  redis.pcall('SPUBLISH', ARGV[1], ARGV[2] .. ' ' .. table.concat(written, ' '))
end
return results
`;
