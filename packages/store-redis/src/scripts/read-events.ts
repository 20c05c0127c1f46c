import { lua } from './lua.ts';

/** Reads the events of one intent; those of one commit are one entry, named by its last seq. */
export const READ_EVENTS: string = lua`
#!lua flags=no-writes
-- KEYS   [1] the intent's hash
-- ARGV   [1] seq after which to begin, [2] about how many events
-- result the last seq and the events of each entry, in turns
local meta = redis.call('HGET', KEYS[1], 'm')
if not meta then return {} end
local last = tonumber(string.match(meta, '^(%S+)'))
local after, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local results = {}
local from = after + 1
while from <= last and #results == 0 do
  local to = math.min(last, from + limit - 1, from + 999)
  local fields = {}
  for seq = from, to do fields[#fields + 1] = string.format('e%.0f', seq) end
  local entries = redis.call('HMGET', KEYS[1], unpack(fields))
  for i = 1, #fields do
    if entries[i] then
      results[#results + 1] = string.format('%.0f', from + i - 1)
      results[#results + 1] = entries[i]
    end
  end
  from = to + 1
end
return results
`;
