-- Removes an entry that is not newer than a version: the space of a cleared cache.
--
-- KEYS[1]  the key
-- ARGV[1]  the version, 16 bytes
--
-- Answers 1 when it was removed, 0 when not.

local held = redis.call('GETRANGE', KEYS[1], 0, 17)
if #held < 18 or held:byte(1) ~= 1 then
  return 0
end
local a = {struct.unpack('>I6I2I4I4', held, 3)}
local b = {struct.unpack('>I6I2I4I4', ARGV[1], 1)}
for i = 1, 4 do
  if a[i] ~= b[i] then
    if a[i] > b[i] then
      return 0
    end
    break
  end
end
return redis.call('UNLINK', KEYS[1])
