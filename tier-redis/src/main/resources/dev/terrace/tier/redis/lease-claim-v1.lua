-- Claims the lease on an entry, unless something newer than what was seen lies there already.
--
-- KEYS[1]  the entry's key
-- KEYS[2]  the lease's key, in the same slot
-- ARGV[1]  who claims
-- ARGV[2]  milliseconds after which the lease runs out
-- ARGV[3]  the newest version that was seen, 16 bytes; or none, to claim it whatever is held
--
-- Answers: 'G' granted; 'C' and its version, 16 bytes: something newer is held; 'H', milliseconds left, a colon and the owner: held by another.
--
-- A lease is '0' and its owner; '1' and its owner once somebody else has asked for it.

if ARGV[3] ~= '' then
  local held = redis.call('GETRANGE', KEYS[1], 0, 17)
  if #held == 18 and held:byte(1) == 1 then
    -- Numbers, never strings: Lua compares strings by the server's locale.
    local a = {struct.unpack('>I6I2I4I4', held, 3)}
    local b = {struct.unpack('>I6I2I4I4', ARGV[3], 1)}
    for i = 1, 4 do
      if a[i] ~= b[i] then
        if a[i] > b[i] then
          return 'C' .. held:sub(3, 18)
        end
        break
      end
    end
  end
end

local lease = redis.call('GET', KEYS[2])
if lease and lease:sub(2) ~= ARGV[1] then
  local left = redis.call('PTTL', KEYS[2])
  if left > 0 then
    if lease:sub(1, 1) == '0' then
      redis.call('SET', KEYS[2], '1' .. lease:sub(2), 'PX', left)
    end
    return 'H' .. left .. ':' .. lease:sub(2)
  end
end
redis.call('SET', KEYS[2], (lease and lease:sub(2) == ARGV[1]) and lease or '0' .. ARGV[1], 'PX', ARGV[2])
return 'G'
