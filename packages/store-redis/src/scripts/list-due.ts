import { lua } from './lua.ts';

/** Reads what is due in one shard, of all operations that were ever submitted there but some. */
export const LIST_DUE: string = lua`
#!lua flags=no-writes
-- KEYS   [1] operations
-- ARGV   [1] what all keys begin with, [2] what the keys of intents begin with, [3] limit,
--        [4] and [5] the due_at and the id behind which to begin, [6] JSON: other operations
-- result per intent: due_at, id, record, meta
local base, prefix, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local after_at, after_id = ARGV[4], ARGV[5]
local others = {}
for _, operation in ipairs(cjson.decode(ARGV[6])) do others[operation] = true end
local due = {}

-- The key is computed: while its slot moves to another node, it is left alone.
local function add(set)
  local from, size = 0, limit
  local left = limit
  while left > 0 and size == limit do
    local found = redis.pcall('ZRANGE', set, after_at, '+inf', 'BYSCORE', 'LIMIT', from, limit,
      'WITHSCORES')
    if found.err then return end
    size = #found / 2
    from = from + size
    for i = 1, #found, 2 do
      if left > 0 and (tonumber(found[i + 1]) > tonumber(after_at) or found[i] > after_id) then
        due[#due + 1] = {tonumber(found[i + 1]), found[i], found[i + 1]}
        left = left - 1
      end
    end
  end
end

for _, operation in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if not others[operation] then
    add(base .. 'due:' .. operation)
    local fields = redis.pcall('HKEYS', base .. 'lanes:' .. operation)
    for _, field in ipairs(fields.err and {} or fields) do
      if string.sub(field, 1, 1) == 't' then
        add(base .. 'due: ' .. operation .. '\31' .. string.sub(field, 2))
      end
    end
  end
end
table.sort(due, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
local results = {}
for i = 1, math.min(limit, #due) do
  local fields = redis.pcall('HMGET', prefix .. due[i][2], 'r', 'm')
  if not fields.err and fields[2] then
    for _, part in ipairs({due[i][3], due[i][2], fields[1], fields[2]}) do
      results[#results + 1] = part
    end
  end
end
return results
`;
