import { LANES } from './lanes.ts';
import { lua } from './lua.ts';

/** Looks at who is in line in one shard, so that a claim can serve those of all shards in turns. */
export const PEEK_LANES: string = lua`
#!lua flags=no-writes
-- KEYS   per operation with room: its lanes, those in line, parked and full
-- ARGV   [1] limit
-- result now, next due_at or '', number of operations that a place of a key is waited for in, then the
--        ranks of those in line
${LANES}
local limit = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local now_text = string.format('%.0f', now)
local results, next_due = {now_text, '', 0}, nil
for i = 1, #KEYS, 4 do
  local line = redis.call('ZRANGE', KEYS[i + 1], 0, limit - 1, 'WITHSCORES')
  for at = 2, #line, 2 do results[#results + 1] = line[at] end
  for _, set in ipairs({KEYS[i + 2], KEYS[i + 3]}) do
    for _, member in ipairs(redis.call('ZRANGE', set, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, limit)) do
      local turn = redis.call('HGET', KEYS[i], 't' .. member)
      if turn then results[#results + 1] = rank(string.match(member, '^(%S+)\31'), turn) end
    end
    local first = tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2])
    if first and (not next_due or first < next_due) then next_due = first end
  end
  if redis.call('ZCARD', KEYS[i + 3]) > 0 then results[3] = results[3] + 1 end
end
if #results > 3 then next_due = now end
if next_due then results[2] = string.format('%.0f', next_due) end
return results
`;
