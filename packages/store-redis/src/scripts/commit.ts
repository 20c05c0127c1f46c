import { lua } from './lua.ts';

/** Writes changes of intents, each guarded by its seq and by the lease of who makes it. */
export const COMMIT: string = lua`
#!lua flags=allow-oom
-- KEYS   [1] stats, [2] ended, [3] keyed by end, [4] keyed by creation, then the due sets, then per
--        commit: the intent's hash
-- ARGV   [1] wake-up channel, [2] sender, [3] number of due sets, then per commit:
--        id, due set, expected seq, expected lease or '', seq, status, '1' if the lease is given up,
--        due_at or '-', deadline_at or '-', '1' if a cancel was requested, record, event field, events,
--        member of the ended sets if it ends, else '', updated_at, created_at if keyed, else '',
--        number of further arguments: 0, or 2 with head and body of the result
-- result per commit: 1 written, 0 missing, 2 stale, or {record, meta} if it has moved on
local due_count = tonumber(ARGV[3])
local next_key = 4 + due_count
local results, written, dues, done, statuses = {}, {}, {}, {}, {}
local ended, keyed_ended, keyed_created = {}, {}, {}
local at = 4
while at <= #ARGV do
  next_key = next_key + 1
  local intent, id, due = KEYS[next_key], ARGV[at], tonumber(ARGV[at + 1])
  local meta = redis.call('HGET', intent, 'm')
  local result
  if not meta then
    result = 0
  else
    local seq, status, lease, lost, due_at, _, _, holder =
      string.match(meta, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
    local expected_lease = ARGV[at + 3]
    if expected_lease ~= '' and (lease ~= expected_lease or holder == '') then
      result = 2
    elseif seq ~= ARGV[at + 2] then
      result = {redis.call('HGET', intent, 'r'), meta}
    else
      result = 1
      if ARGV[at + 6] == '1' then
        due_at = ARGV[at + 7]
        holder = ''
        if due_at == '-' then
          local set = done[due] or {}
          done[due] = set
          set[#set + 1] = id
        else
          local set = dues[due] or {}
          dues[due] = set
          set[#set + 1] = due_at
          set[#set + 1] = id
        end
      end
      local next_status = ARGV[at + 5]
      meta = table.concat({ARGV[at + 4], next_status, lease, lost, due_at, ARGV[at + 8],
        ARGV[at + 9], holder}, ' ')
      if ARGV[at + 16] == '2' then
        redis.call('HSET', intent, 'r', ARGV[at + 10], 'm', meta, ARGV[at + 11], ARGV[at + 12],
          'a', ARGV[at + 17], 'b', ARGV[at + 18])
      else
        redis.call('HSET', intent, 'r', ARGV[at + 10], 'm', meta, ARGV[at + 11], ARGV[at + 12])
      end
      if status ~= next_status then
        statuses[status] = (statuses[status] or 0) - 1
        statuses[next_status] = (statuses[next_status] or 0) + 1
      end
      local member = ARGV[at + 13]
      if member ~= '' then
        if ARGV[at + 15] == '' then
          ended[#ended + 1] = ARGV[at + 14]
          ended[#ended + 1] = member
        else
          keyed_ended[#keyed_ended + 1] = ARGV[at + 14]
          keyed_ended[#keyed_ended + 1] = member
          keyed_created[#keyed_created + 1] = ARGV[at + 15]
          keyed_created[#keyed_created + 1] = member
        end
      end
      written[#written + 1] = id
    end
  end
  results[#results + 1] = result
  at = at + 17 + tonumber(ARGV[at + 16])
end

-- What ends is taken off last: nothing of the same batch makes it due again.
for due, set in pairs(dues) do redis.call('ZADD', KEYS[4 + due], unpack(set)) end
for due, set in pairs(done) do redis.call('ZREM', KEYS[4 + due], unpack(set)) end
if #ended > 0 then redis.call('ZADD', KEYS[2], unpack(ended)) end
if #keyed_ended > 0 then
  redis.call('ZADD', KEYS[3], unpack(keyed_ended))
  redis.call('ZADD', KEYS[4], unpack(keyed_created))
end
for status, change in pairs(statuses) do
  if change ~= 0 then redis.call('HINCRBY', KEYS[1], status, change) end
end
if #written > 0 then
  redis.pcall('SPUBLISH', ARGV[1], ARGV[2] .. ' ' .. table.concat(written, ' '))
end
return results
`;
