import { lua } from './lua.ts';

/** Looks at what is due in one shard, so that a claim can take the longest due of all shards. */
export const PEEK_DUE: string = lua`
#!lua flags=no-writes
-- KEYS   the due sets of the operations
-- ARGV   [1] limit
-- result now, next due_at or '', the due_at that have passed in ascending order, joined by commas
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local limit = tonumber(ARGV[1])
local due, next_due = {}, nil
for set = 1, #KEYS do
  local found = redis.call('ZRANGE', KEYS[set], '-inf', now, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
  for i = 2, #found, 2 do due[#due + 1] = found[i] end
  local first = found[2] or redis.call('ZRANGE', KEYS[set], 0, 0, 'WITHSCORES')[2]
  if first and (not next_due or tonumber(first) < tonumber(next_due)) then next_due = first end
end
if #KEYS > 1 then
  table.sort(due, function(a, b) return tonumber(a) < tonumber(b) end)
end
return {now, next_due or '', table.concat(due, ',', 1, math.min(limit, #due))}
`;
