import { lua } from './lua.ts';

/** Ends reservations of idempotency keys: confirms their owners, or gives the keys up. */
export const SETTLE_KEY: string = lua`
#!lua flags=allow-oom
-- KEYS   [1] reserved keys, then per key: its owner, its reservation
-- ARGV   per key: the key, the id that must own it, 'confirm' or 'release'
-- result how many keys had that owner; other owners' are left alone
local settled = 0
local next_key = 2
for at = 1, #ARGV, 3 do
  local owner_key, reservation = KEYS[next_key], KEYS[next_key + 1]
  next_key = next_key + 2
  if redis.call('GET', owner_key) == ARGV[at + 1] then
    redis.call('UNLINK', reservation)
    redis.call('ZREM', KEYS[1], ARGV[at])
    if ARGV[at + 2] == 'release' then redis.call('UNLINK', owner_key) end
    settled = settled + 1
  end
end
return settled
`;
