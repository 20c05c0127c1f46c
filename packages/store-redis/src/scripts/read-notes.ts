import { lua } from './lua.ts';

/** Reads an intent with its notes: `c` is their number, `i1`, `i2`, … their keys, `k` and a key a value. */
export const READ_NOTES: string = lua`
#!lua flags=no-writes
-- KEYS   [1] the intent's hash
-- result nothing if there is no such intent, else record, meta, then key and value of each note
local found = redis.call('HMGET', KEYS[1], 'r', 'm', 'c')
if not found[1] or not found[2] then return {} end
local results = {found[1], found[2]}
for i = 1, tonumber(found[3] or 0) do
  local key = redis.call('HGET', KEYS[1], 'i' .. string.format('%.0f', i))
  results[#results + 1] = key
  results[#results + 1] = redis.call('HGET', KEYS[1], 'k' .. key)
end
return results
`;
