import { lua } from './lua.ts';

/**
 * What scripts know of lanes, the intents of one operation, key and priority. A lane is there while it has
 * intents that have not ended, and then it is in one of three sets: in line, for the next claim to look at;
 * parked until something of it is due; or full, until a place of its key is free.
 *
 * Rank is the order in line: by priority, then by turn, which is an instant in ms.
 */
export const LANES: string = lua`
local function rank(priority, turn)
  return string.format('%.3f', (100 - priority) * 4398046511104 + turn)
end
local function line_up(lane, member)
  if redis.call('ZREM', lane.parked, member) + redis.call('ZREM', lane.full, member) == 0 then return end
  local turn = redis.call('HGET', lane.lanes, 't' .. member)
  if turn then
    redis.call('ZADD', lane.line, rank(string.match(member, '^(%S+)\31'), turn), member)
  end
end
`;

/** The lanes among the due sets of a call; their keys begin after `first_key`, and their words at `at`. */
export const READ_LANES: string = lua`
local function read_lanes(first_key, at, count)
  local lanes = {}
  for i = 0, count - 1 do
    local key = first_key + 6 * i
    lanes[ARGV[at + 3 * i]] = {
      lanes = KEYS[key + 1], line = KEYS[key + 2], parked = KEYS[key + 3], full = KEYS[key + 4],
      held = KEYS[key + 5], late = KEYS[key + 6], member = ARGV[at + 3 * i + 1], key = ARGV[at + 3 * i + 2]
    }
  end
  return lanes
end
local function free_place(lane)
  for priority in string.gmatch(redis.call('HGET', lane.lanes, 'l' .. lane.key) or '', '%S+') do
    line_up(lane, priority .. '\31' .. lane.key)
  end
end
`;
