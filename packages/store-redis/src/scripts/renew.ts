import { LANES, READ_LANES } from './lanes.ts';
import { lua } from './lua.ts';

/** Renews leases that are still held, or gives them back. */
export const RENEW: string = lua`
#!lua flags=allow-oom
-- KEYS   the due sets, then six for each lane among them, then per lease: the intent's hash
-- ARGV   [1] wake-up channel, [2] sender, [3] lease in ms, [4] number of due sets, [5] number of lanes,
--        then per lane: due set, lane, key; then per lease: id, due set, lease, '1' to give it back
-- result per lease: {seq, '1' if a cancel was requested}, or 0 if it is not held
${LANES}${READ_LANES}
local lease_ms, due_count, lane_count = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local lanes = lane_count > 0 and read_lanes(due_count, 6, lane_count)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local results, changes, released = {}, {}, {}
local next_key = due_count + 6 * lane_count
for at = 6 + 3 * lane_count, #ARGV, 4 do
  next_key = next_key + 1
  local id, due, expected = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]
  local meta = redis.call('HGET', KEYS[next_key], 'm')
  local seq, status, lease, lost, _, deadline, cancel, holder
  if meta then
    seq, status, lease, lost, _, deadline, cancel, holder =
      string.match(meta, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  end
  if not meta or lease ~= expected or holder == '' then
    results[#results + 1] = 0
  else
    local due_at
    if ARGV[at + 3] == '1' then
      due_at = string.format('%.0f', now)
      holder = ''
      released[#released + 1] = id
      local lane = lanes and lanes[ARGV[at + 1]]
      if lane then
        redis.call('SREM', lane.held, id)
        lane.is_touched = true
      end
    elseif deadline ~= '-' and tonumber(deadline) > now and tonumber(deadline) < now + lease_ms then
      due_at = deadline
    else
      due_at = string.format('%.0f', now + lease_ms)
    end
    meta = table.concat({seq, status, lease, lost, due_at, deadline, cancel, holder}, ' ')
    redis.call('HSET', KEYS[next_key], 'm', meta)
    local set = changes[due]
    if not set then
      set = {}
      changes[due] = set
    end
    set[#set + 1] = due_at
    set[#set + 1] = id
    results[#results + 1] = {seq, cancel}
  end
end
for due, set in pairs(changes) do redis.call('ZADD', KEYS[due], unpack(set)) end
if lanes then
  for _, lane in pairs(lanes) do
    if lane.is_touched then free_place(lane) end
  end
end
if #released > 0 then
  redis.pcall('SPUBLISH', ARGV[1], ARGV[2] .. ' ' .. table.concat(released, ' '))
end
return results
`;
