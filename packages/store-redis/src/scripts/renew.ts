import { lua } from './lua.ts';

/** Renews leases that are still held, or gives them back. */
export const RENEW: string = lua`
#!lua flags=allow-oom
-- KEYS   the due sets, then per lease: the intent's hash
-- ARGV   [1] wake-up channel, [2] sender, [3] number of due sets, [4] lease in ms, then per lease:
--        id, due set, lease, '1' to give it back
-- result per lease: {seq, '1' if a cancel was requested}, or 0 if it is not held
local due_count, lease_ms = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local results, changes, released = {}, {}, {}
local next_key = due_count
for at = 5, #ARGV, 4 do
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
if #released > 0 then
  redis.pcall('SPUBLISH', ARGV[1], ARGV[2] .. ' ' .. table.concat(released, ' '))
end
return results
`;
