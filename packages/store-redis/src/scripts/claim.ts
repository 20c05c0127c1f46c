import { lua } from './lua.ts';

/** Takes the leases of what is due in one shard, the longest due first. */
export const CLAIM: string = lua`
#!lua flags=allow-oom
-- KEYS   the due sets of the operations
-- ARGV   [1] limit, [2] holder, [3] lease in ms, [4] what the keys of intents begin with,
--        [5] bytes after which no more is taken
-- result now, next due_at or '', number skipped, then per lease: id, record, line feed, old due_at,
--        blank, meta; and input
local limit, holder, lease_ms = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local prefix, max_bytes = ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_at = string.format('%.0f', now + lease_ms)

local due = {}
for set = 1, #KEYS do
  local found = redis.call('ZRANGE', KEYS[set], '-inf', string.format('%.0f', now), 'BYSCORE',
    'LIMIT', 0, limit, 'WITHSCORES')
  for i = 1, #found, 2 do due[#due + 1] = {found[i], found[i + 1], set} end
end
if #KEYS > 1 then
  table.sort(due, function(a, b) return tonumber(a[2]) < tonumber(b[2]) end)
end

local results = {string.format('%.0f', now), '', 0}
local renewed, bytes, skipped = {}, 0, 0
for i = 1, math.min(limit, #due) do
  if bytes >= max_bytes then break end
  local id, due_at, set = due[i][1], due[i][2], due[i][3]
  -- The key is computed, so it is read under pcall first: while its slot moves to another node, the
  -- intent may be there already. Nothing has been written for it then, and what is read can be written.
  local intent = prefix .. id
  local fields = redis.pcall('HMGET', intent, 'r', 'm', 'n')
  local meta = not fields.err and fields[2]
  if meta then
    local seq, status, lease, lost, _, deadline, cancel, held_by =
      string.match(meta, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
    if held_by ~= '' then lost = string.format('%.0f', lost + 1) end
    local next_at = until_at
    if deadline ~= '-' and tonumber(deadline) > now and tonumber(deadline) < now + lease_ms then
      next_at = deadline
    end
    lease = string.format('%.0f', lease + 1)
    meta = table.concat({seq, status, lease, lost, next_at, deadline, cancel, holder}, ' ')
    redis.call('HSET', intent, 'm', meta)
    local changes = renewed[set]
    if not changes then
      changes = {}
      renewed[set] = changes
    end
    changes[#changes + 1] = next_at
    changes[#changes + 1] = id
    results[#results + 1] = id .. fields[1] .. '\n' .. due_at .. ' ' .. meta
    results[#results + 1] = fields[3]
    bytes = bytes + #fields[1] + #fields[3]
  else
    skipped = skipped + 1
  end
end
for set, changes in pairs(renewed) do redis.call('ZADD', KEYS[set], unpack(changes)) end
results[3] = skipped

local next_due
for set = 1, #KEYS do
  local first = redis.call('ZRANGE', KEYS[set], 0, 0, 'WITHSCORES')[2]
  if first and (not next_due or tonumber(first) < tonumber(next_due)) then next_due = first end
end
results[2] = next_due or ''
return results
`;
