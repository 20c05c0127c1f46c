import { LANES } from './lanes.ts';
import { lua } from './lua.ts';

/** Has the next claim look at all lanes of one shard. */
export const LINE_UP_ALL: string = lua`
#!lua flags=allow-oom
-- KEYS   per operation: its lanes, those in line, parked and full
${LANES}
for i = 1, #KEYS, 4 do
  local operation = {lanes = KEYS[i], line = KEYS[i + 1], parked = KEYS[i + 2], full = KEYS[i + 3]}
  for _, set in ipairs({operation.parked, operation.full}) do
    for _, member in ipairs(redis.call('ZRANGE', set, 0, -1)) do line_up(operation, member) end
  end
end
`;
