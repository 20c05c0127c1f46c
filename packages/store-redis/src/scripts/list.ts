import { lua } from './lua.ts';

/** Reads a part of the intents of one shard, newest first, and keeps those that match. */
export const LIST: string = lua`
#!lua flags=no-writes
-- KEYS   [1] ids
-- ARGV   [1] upper bound of the ids, [2] how many to look at, [3] limit,
--        [4] what the keys of intents begin with, [5] JSON: owner, operation, statuses, each or null
-- result the id that was looked at last, '' when there are no more, then per match: id, record, meta
local wanted = cjson.decode(ARGV[5])
local statuses
if wanted.statuses ~= cjson.null then
  statuses = {}
  for _, status in ipairs(wanted.statuses) do statuses[status] = true end
end
local filtered = wanted.owner ~= cjson.null or wanted.operation ~= cjson.null
local count, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local ids = redis.call('ZRANGE', KEYS[1], ARGV[1], '-', 'BYLEX', 'REV', 'LIMIT', 0, count)
local results = {#ids == count and ids[count] or ''}
for _, id in ipairs(ids) do
  -- The key is computed: while its slot moves to another node, the intent may be there already.
  local fields = redis.pcall('HMGET', ARGV[4] .. id, 'r', 'm')
  local meta = not fields.err and fields[2]
  local matches = meta and (not statuses or statuses[string.match(meta, '^%S+ (%S+)')])
  if matches and filtered then
    local record = cjson.decode(fields[1])
    matches = (wanted.owner == cjson.null or wanted.owner == record[2])
      and (wanted.operation == cjson.null or wanted.operation == record[1]
        or wanted.operation .. '@@' == string.sub(record[1], 1, #wanted.operation + 2))
  end
  if matches then
    results[#results + 1] = id
    results[#results + 1] = fields[1]
    results[#results + 1] = meta
    if #results > 3 * limit then
      results[1] = id
      break
    end
  end
end
return results
`;
